"""The laws of the catalogue."""

from packhouse.catalog.store import QUERIES
from packhouse.foundation.checks import Finding
from packhouse.plumbing.postgres import Connection


async def check_digital_cards_have_no_copies(connection: Connection) -> Finding:
    """A digital card is unlimited, so it has no stock items."""
    copies = await connection.fetchval(QUERIES["count_copies_of_digital_cards"])
    return Finding(
        law="digital_cards_have_no_copies",
        holds=copies == 0,
        evidence=f"{copies} stock items belong to digital cards",
    )
