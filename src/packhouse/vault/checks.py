"""The vault's law: every card has one place."""

from packhouse.foundation.checks import Finding
from packhouse.plumbing.postgres import Connection
from packhouse.vault.store import QUERIES


async def check_every_card_has_one_place(connection: Connection) -> Finding:
    """No stock item has two owners, and each one's place is what its owner's card says."""
    row = (await connection.fetch(QUERIES["check_card_places"]))[0]
    return Finding(
        law="every_card_has_one_place",
        holds=row["shared"] == 0 and row["misplaced"] == 0 and row["ownerless"] == 0,
        evidence=(
            f"{row['shared']} stock items with two owners, {row['misplaced']} in another place"
            f" than their card says, {row['ownerless']} in a vault without an owner"
        ),
    )
