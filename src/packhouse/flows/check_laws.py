"""Every law of the house, looked at in the whole database.

The laws are the rooms' own checks; here they are only called together, so that tests, the
simulation, the bench, the readiness report and whoever is on call look at the same ones, beside a
shop that goes on.
"""

from packhouse import accounts, catalog, drawlog, feed, vault, wallet
from packhouse.foundation.checks import Finding
from packhouse.house import House


async def check_laws(house: House) -> list[Finding]:
    """A finding for each law; reads whole tables, for as long as that takes."""
    async with house.database.transaction() as connection:
        # All of it in one moment, while the shop goes on: a checkpoint read before the next one is
        # signed would not fit tiles read after it.
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # What reads whole tables is neither in a hurry nor helped by their indexes.
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("SET LOCAL enable_seqscan = on")
        return [
            await wallet.check_ledger_sums_to_zero(connection),
            await vault.check_every_card_has_one_place(connection),
            await feed.check_feed_is_complete(connection),
            await catalog.check_digital_cards_have_no_copies(connection),
            await drawlog.check_log_has_no_gaps(connection),
            await drawlog.check_log_tree_is_of_its_leaves(connection),
            await drawlog.check_stock_is_logged(connection),
            await accounts.check_closed_accounts_owe_nothing(connection),
        ]


async def list_broken_laws(house: House) -> list[Finding]:
    """The findings that do not hold."""
    return [finding for finding in await check_laws(house) if not finding.holds]
