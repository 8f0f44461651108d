"""The wallet's law: money neither appears nor vanishes."""

from packhouse.foundation.checks import Finding
from packhouse.plumbing.postgres import Connection
from packhouse.wallet.store import QUERIES


async def check_ledger_sums_to_zero(connection: Connection) -> Finding:
    """All accounts sum to zero, and each balance equals its last entry and the sum of its entries.

    The house's side is posted by the relay from events, so this compares two records of the same
    money; what still waits in the outbox is counted with the house.
    """
    row = (await connection.fetch(QUERIES["check_ledger"]))[0]
    total = row["wallets"] + row["house"] + row["waiting"]
    holds = (
        total == 0
        and row["wallets"] == row["entries"]
        and row["untied"] == 0
        and row["unsummed"] == 0
    )
    return Finding(
        law="ledger_sums_to_zero",
        holds=holds,
        evidence=(
            f"wallets {row['wallets']}, house {row['house']}, waiting {row['waiting']}:"
            f" together {total}; {row['untied']} wallets differ from their last entry and"
            f" {row['unsummed']} from the sum of their entries"
        ),
    )
