"""Fills an empty, migrated database with a bulk shop by COPY, its indexes in place.

Over fifty thousand rows a second, so that ten million user cards take minutes. ``population`` makes
people who can act and whose draws hold every law, through the relay; here are only rows, as many as
one likes, for whoever asks how PostgreSQL finds them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from packhouse.bench.bulk_house import ROWS_OF_THE_HOUSE
from packhouse.bench.bulk_rows import COLUMNS, opening_rows, user_rows
from packhouse.bench.bulk_shop import BulkShop
from packhouse.bench.portions import portions
from packhouse.plumbing.postgres import Connection

OPENINGS_PER_COPY: Final = 4_000
USERS_PER_COPY: Final = 8_000
LINES_PER_COPY: Final = 20_000

FIRST_HALF: Final = frozenset({"user_cards", "stock_items", "ledger_entries"})
"""Tables that cost PostgreSQL about as much as all others."""

Rows = Mapping[str, Sequence[str]]


class Loaded(msgspec.Struct, frozen=True):
    """How many rows were written, and how long that took with all indexes."""

    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows made, copied and indexed, a second."""
        return self.rows / self.seconds if self.seconds else 0.0


async def load_bulk(
    connections: tuple[Connection, Connection],
    shop: BulkShop,
    *,
    tell: Callable[[int], None] = lambda _: None,
) -> Loaded:
    """Write every row of ``shop``; ``tell`` gets the number of rows now and then.

    PostgreSQL copies with one core for each connection. Their commits are not durable while this
    lasts: a load that was cut short is begun anew.
    """
    begun = time.monotonic()
    rows = 0
    for connection in connections:
        await connection.execute("SET synchronous_commit = off")
        await connection.execute("SET statement_timeout = 0")
    pieces = _pieces(shop)
    # While PostgreSQL copies one piece the next is made.
    following = asyncio.create_task(asyncio.to_thread(next, pieces, None))
    while (piece := await following) is not None:
        following = asyncio.create_task(asyncio.to_thread(next, pieces, None))
        first = {table: lines for table, lines in piece.items() if table in FIRST_HALF}
        second = {table: lines for table, lines in piece.items() if table not in FIRST_HALF}
        await asyncio.gather(_copy(connections[0], first), _copy(connections[1], second))
        rows += sum(map(len, piece.values()))
        tell(rows)
    for connection in connections:
        await connection.execute("RESET synchronous_commit")
    return Loaded(rows=rows, seconds=time.monotonic() - begun)


async def settle_bulk(connection: Connection) -> None:
    """Statistics and visibility maps as autovacuum would leave them."""
    await connection.execute("VACUUM (ANALYZE)")


def _pieces(shop: BulkShop) -> Iterator[Rows]:
    for table, lines_of in ROWS_OF_THE_HOUSE.items():
        for lines in portions(lines_of(shop), LINES_PER_COPY):
            yield {table: lines}
    for first in range(0, shop.users, USERS_PER_COPY):
        yield user_rows(shop, first, min(first + USERS_PER_COPY, shop.users))
    for first in range(0, shop.openings, OPENINGS_PER_COPY):
        yield opening_rows(shop, first, min(first + OPENINGS_PER_COPY, shop.openings))


async def _copy(connection: Connection, rows: Rows) -> None:
    for table, lines in rows.items():
        if lines:
            await connection.copy_to_table(
                table, source=_encoded(lines), columns=COLUMNS[table], format="text"
            )


async def _encoded(lines: Sequence[str]) -> AsyncIterator[bytes]:
    yield ("\n".join(lines) + "\n").encode()
