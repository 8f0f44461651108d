"""A collector takes the own history away, every seed pair and receipt, to be checked anywhere.

It is told piece by piece, so that a long one needs no more memory than a short one, and no
connection is held while somebody with a slow line reads.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from packhouse import draws
from packhouse.draws import Receipt, SeedPair
from packhouse.foundation.identifiers import LotId, OpeningId, SeedPairId, UserId
from packhouse.house import House

ROWS_PER_PIECE: Final = 200


class HistoricSeedPair(msgspec.Struct, frozen=True):
    """A seed pair in a history; bytes are hexadecimal, the last three null until it is revealed."""

    commitment: str
    user_key: str
    created_at: datetime
    first_used_at: datetime | None
    revealed_at: datetime | None
    server_seed: str | None
    openings: int | None


class History(msgspec.Struct, frozen=True):
    """The whole file: ``packhouse.history/1``, newest first."""

    format: str
    seed_pairs: tuple[HistoricSeedPair, ...]
    receipts: tuple[Receipt, ...]


async def read_history(
    house: House, user_id: UserId, *, rows_per_piece: int = ROWS_PER_PIECE
) -> AsyncIterator[bytes]:
    """The JSON of a ``History``, in pieces.

    What is opened while it is told is left out. The first receipts are read before the seed pairs,
    so that no receipt has a pair that the file does not know.
    """
    receipts = await _list_receipts(house, user_id, before=None, limit=rows_per_piece)
    pairs = await _list_all_pairs(house, user_id, limit=rows_per_piece)
    shown = [_historic(pair) for pair in pairs]
    yield b'{"format":"packhouse.history/1","seed_pairs":' + msgspec.json.encode(shown)
    yield b',"receipts":['
    seeds = {pair.commitment.hex(): pair.server_seed for pair in pairs}
    lot_seeds: dict[LotId, bytes | None] = {}
    separator = b""
    while receipts:
        await _learn_lot_seeds(house, receipts, lot_seeds)
        pieces = []
        for receipt in receipts:
            lot = receipt.proof.lot
            seed = lot_seeds[lot.id] if lot is not None else seeds[receipt.proof.commitment]
            told = msgspec.structs.replace(
                receipt, server_seed=None if seed is None else seed.hex()
            )
            pieces.append(msgspec.json.encode(told))
        yield separator + b",".join(pieces)
        separator = b","
        receipts = await _list_receipts(
            house, user_id, before=receipts[-1].id, limit=rows_per_piece
        )
    yield b"]}"


async def _list_receipts(
    house: House, user_id: UserId, *, before: OpeningId | None, limit: int
) -> list[Receipt]:
    async with house.database.reading() as connection:
        return await draws.list_openings(connection, user_id=user_id, before=before, limit=limit)


async def _list_all_pairs(house: House, user_id: UserId, *, limit: int) -> list[SeedPair]:
    """All of them: a pair lasts for days, or for one rotation that is paid with a request."""
    pairs: list[SeedPair] = []
    before: SeedPairId | None = None
    while True:
        async with house.database.reading() as connection:
            found = await draws.list_seed_pairs(
                connection, user_id=user_id, before=before, limit=limit
            )
        if not found:
            return pairs
        pairs += found
        before = found[-1].id


async def _learn_lot_seeds(
    house: House, receipts: Sequence[Receipt], known: dict[LotId, bytes | None]
) -> None:
    lots = {receipt.proof.lot.id for receipt in receipts if receipt.proof.lot is not None}
    if lots <= known.keys():
        return
    async with house.database.reading() as connection:
        for lot_id in sorted(lots - known.keys()):
            known[lot_id] = await draws.find_lot_server_seed(connection, lot_id)


def _historic(pair: SeedPair) -> HistoricSeedPair:
    return HistoricSeedPair(
        commitment=pair.commitment.hex(),
        user_key=pair.user_key.hex(),
        created_at=pair.created_at,
        first_used_at=pair.first_used_at,
        revealed_at=pair.revealed_at,
        server_seed=None if pair.server_seed is None else pair.server_seed.hex(),
        openings=pair.openings,
    )
