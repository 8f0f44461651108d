"""Seed pairs over the API: the commitment in force, one's own seed, and the reveal."""

from datetime import datetime, timedelta
from typing import Annotated, cast

import msgspec
from litestar import Response, get, post, put
from litestar.params import JSONBody
from litestar.response import Stream

from packhouse import draws
from packhouse.draws import SeedPair
from packhouse.flows.read_history import History, read_history
from packhouse.flows.rotate_seed import (
    CurrentSeed,
    find_current_seed,
    rotate_seed,
    store_client_seed,
)
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import SeedPairId, UserId
from packhouse.foundation.limits import (
    CLIENT_SEED_LENGTH_MAX,
    PAGE_LIMIT_DEFAULT,
    SEED_PAIR_DAYS_MAX,
)
from packhouse.house import House
from packhouse.web.api.requests import ApiRequest
from packhouse.web.context import context_of


class RevealedSeed(msgspec.Struct, frozen=True):
    """A seed pair that ended after ``openings`` packs; with ``server_seed`` all can be redrawn.

    Bytes are hexadecimal; ``commitment`` is the SHA-256 of ``server_seed``.
    """

    id: SeedPairId
    commitment: str
    server_seed: str
    user_key: str
    client_seed: str
    openings: int
    created_at: datetime
    first_used_at: datetime | None
    revealed_at: datetime


class SeedInForce(msgspec.Struct, frozen=True):
    """The seed pair that your next pack is drawn under, and the pairs before it, newest first.

    ``nonce`` counts the packs opened under it; ``ends_by`` is when it is revealed by itself at the
    latest, None before its first use. Bytes are hexadecimal.
    """

    id: SeedPairId
    commitment: str
    user_key: str
    client_seed: str
    nonce: int
    created_at: datetime
    first_used_at: datetime | None
    ends_by: datetime | None
    revealed: tuple[RevealedSeed, ...]


class ClientSeedChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A seed of your own for openings that bring none: any visible text."""

    client_seed: Annotated[str, msgspec.Meta(min_length=1, max_length=CLIENT_SEED_LENGTH_MAX)]


class SeedRotation(msgspec.Struct, frozen=True):
    """What a rotation did: the pair that ended with its secret, and the pair in force now."""

    revealed: RevealedSeed
    current: SeedInForce


@get("/api/v1/fairness/seed", tags=["fairness"])
async def get_seed(request: ApiRequest) -> SeedInForce:
    """The commitment, client seed and nonce in force, and what was revealed before."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    current = await find_current_seed(context.house, viewer.user_id)
    return await _seed_in_force(context.house, viewer.user_id, current)


@put("/api/v1/fairness/seed", tags=["fairness"])
async def update_seed(request: ApiRequest, data: JSONBody[ClientSeedChoice]) -> SeedInForce:
    """Store a client seed, used by openings that bring none of their own."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    current = await store_client_seed(context.house, viewer.user_id, data.client_seed)
    return await _seed_in_force(context.house, viewer.user_id, current)


@post("/api/v1/fairness/seed/rotation", status_code=201, tags=["fairness"])
async def create_seed_rotation(request: ApiRequest) -> SeedRotation:
    """End the seed pair in force and reveal its server seed; a fresh pair begins."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    rotated = await rotate_seed(context.house, viewer.user_id)
    current = CurrentSeed(pair=rotated.current, nonce=0)
    return SeedRotation(
        revealed=_revealed(rotated.revealed),
        current=await _seed_in_force(context.house, viewer.user_id, current),
    )


@get("/api/v1/fairness/history", tags=["fairness"])
async def get_history(request: ApiRequest) -> Response[History]:
    """Your own history as a file: all seed pairs and all receipts, newest first.

    `packhouse verify user` and the page `/verify` hold it against the public log.
    """
    context = context_of(request.scope)
    viewer = context.require_viewer()
    told = Stream(
        read_history(context.house, viewer.user_id),
        media_type="application/json",
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": 'attachment; filename="history.json"',
        },
    )
    # For the published document: what the pieces are together.
    return cast("Response[History]", told)


async def _seed_in_force(house: House, user_id: UserId, current: CurrentSeed) -> SeedInForce:
    async with house.database.reading() as connection:
        past = await draws.list_revealed_seed_pairs(
            connection, user_id=user_id, limit=PAGE_LIMIT_DEFAULT
        )
    pair = current.pair
    used_at = pair.first_used_at
    return SeedInForce(
        id=pair.id,
        commitment=pair.commitment.hex(),
        user_key=pair.user_key.hex(),
        client_seed=pair.client_seed,
        nonce=current.nonce,
        created_at=pair.created_at,
        first_used_at=used_at,
        ends_by=None if used_at is None else used_at + timedelta(days=SEED_PAIR_DAYS_MAX),
        revealed=tuple(_revealed(ended) for ended in past),
    )


def _revealed(pair: SeedPair) -> RevealedSeed:
    if pair.server_seed is None or pair.revealed_at is None:
        raise Breach(f"The seed pair {pair.id} is shown as revealed and is not.")
    return RevealedSeed(
        id=pair.id,
        commitment=pair.commitment.hex(),
        server_seed=pair.server_seed.hex(),
        user_key=pair.user_key.hex(),
        client_seed=pair.client_seed,
        openings=pair.openings or 0,
        created_at=pair.created_at,
        first_used_at=pair.first_used_at,
        revealed_at=pair.revealed_at,
    )


FAIRNESS_HANDLERS = [get_seed, update_seed, create_seed_rotation, get_history]
