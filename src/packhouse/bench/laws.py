"""The laws of the house as the bench looks at them: also after what peers wrote."""

from packhouse import catalog, drawlog, feed, vault, wallet
from packhouse.foundation.checks import Finding
from packhouse.house import House


async def list_broken_laws(house: House) -> list[Finding]:
    """The findings that do not hold, of every law there is; reads whole tables."""
    async with house.database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        try:
            findings = [
                await wallet.check_ledger_sums_to_zero(connection),
                await vault.check_every_card_has_one_place(connection),
                await feed.check_feed_is_complete(connection),
                await catalog.check_digital_cards_have_no_copies(connection),
                await drawlog.check_log_has_no_gaps(connection),
                await drawlog.check_log_tree_is_of_its_leaves(connection),
            ]
        finally:
            limit = house.settings.database_statement_timeout_ms
            await connection.execute(f"SET statement_timeout = {limit}")
    return [finding for finding in findings if not finding.holds]
