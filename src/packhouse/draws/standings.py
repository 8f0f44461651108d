"""What an opening needs to know of its user and its pack before anything is decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from packhouse.foundation.identifiers import PackId, PackVersionId, SeedPairId, UserId
from packhouse.plumbing.idempotency import Repeat
from packhouse.plumbing.postgres import Connection, is_sharded
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.draws")


class OpeningStanding(msgspec.Struct, frozen=True):
    """What an opening needs to know of its user and its pack, as of one moment.

    ``version_id`` is the version on sale, None when the pack is not; amounts in minor units.
    ``request_hash`` and ``answer`` are what is recorded under the request's key, if anything is.
    """

    user_id: UserId
    username: str
    role: Literal["collector", "staff", "owner"]
    is_anonymous: bool
    suspended_at: datetime | None
    closed_at: datetime | None
    has_session: bool
    balance: int
    sequence: int
    nonce: int
    seed_pair_id: SeedPairId
    sealed_server_seed: bytes
    commitment: bytes
    user_key: bytes
    client_seed: str
    request_hash: bytes | None
    answer: str | None
    version_id: PackVersionId | None
    is_paused: bool


async def list_opening_standings(
    connection: Connection,
    wanted: Sequence[tuple[Repeat, PackId | None, bytes | None]],
    *,
    now: datetime,
) -> dict[UUID, OpeningStanding]:
    """The standings of users who want to open a pack each, as of now; nothing is locked.

    A pack that is None is not on sale. The last is the hash of the session's token, to be looked
    for again; None trusts the caller.
    """
    if is_sharded(connection):
        found = [await _find_opening_standing(connection, *each, now=now) for each in wanted]
        return {standing.user_id: standing for standing in found if standing is not None}
    rows = await connection.fetch(
        QUERIES["list_opening_standings"],
        [repeat.user_id for repeat, _, _ in wanted],
        [pack_id for _, pack_id, _ in wanted],
        [repeat.route for repeat, _, _ in wanted],
        [repeat.key for repeat, _, _ in wanted],
        [token_hash for _, _, token_hash in wanted],
        now,
    )
    return {row["user_id"]: OpeningStanding(**row) for row in rows}


async def _find_opening_standing(
    connection: Connection,
    repeat: Repeat,
    pack_id: PackId | None,
    token_hash: bytes | None,
    *,
    now: datetime,
) -> OpeningStanding | None:
    has_session = token_hash is None or repeat.user_id == await connection.fetchval(
        QUERIES["find_session_holder"], token_hash, now
    )
    opener = await connection.fetchrow(
        QUERIES["find_opener"], repeat.user_id, repeat.route, repeat.key
    )
    if opener is None:
        return None
    return OpeningStanding(
        **opener,
        has_session=has_session,
        version_id=await connection.fetchval(QUERIES["find_version_on_sale"], pack_id),
        is_paused=await connection.fetchval(QUERIES["is_pack_paused"], pack_id) is not None,
    )
