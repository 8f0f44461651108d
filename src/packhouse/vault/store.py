"""What the vault keeps in PostgreSQL; each function runs the query of its own name."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from struct import Struct
from typing import Final

import msgspec

from packhouse.foundation.identifiers import CardId, StockItemId, UserCardId, UserId
from packhouse.foundation.tiers import Tier
from packhouse.plumbing.postgres import Connection, ReadConnection
from packhouse.plumbing.queries import load_queries
from packhouse.vault.model import PackedCard, UserCard, UserCardState, VaultFilter, VaultPosition

QUERIES = load_queries("packhouse.vault")

_PACKED: Final = Struct(">36s36s16sqqqq?3s9s")
"""One row of ``list_packed_pages``."""


async def insert_user_cards(connection: Connection, cards: Sequence[UserCard]) -> None:
    """Write drawn cards.

    By ``COPY``: an ``INSERT`` of arrays costs half as much again, most of it the driver's.
    """
    await connection.copy_records_to_table(
        "user_cards",
        columns=UserCard.__struct_fields__,
        records=map(msgspec.structs.astuple, cards),
    )


async def list_vault_page(
    connection: ReadConnection,
    *,
    user_id: UserId,
    wanted: VaultFilter,
    after: VaultPosition | None,
    limit: int,
) -> list[UserCard]:
    """A page of a user's cards, after ``after`` in the wanted order."""
    after_id = None if after is None else after.id
    if wanted.sort == "value":
        rows = await connection.fetch(
            QUERIES["list_user_cards_by_value"],
            user_id,
            wanted.state,
            after_id,
            limit,
            wanted.tier,
            None if after is None else after.value,
        )
    elif wanted.tier is not None:
        rows = await connection.fetch(
            QUERIES["list_user_cards_of_tier_by_newest"],
            user_id,
            wanted.state,
            after_id,
            limit,
            wanted.tier,
        )
    else:
        rows = await connection.fetch(
            QUERIES["list_user_cards_by_newest"], user_id, wanted.state, after_id, limit
        )
    return [UserCard(*row) for row in rows]


async def list_packed_pages(
    connection: ReadConnection,
    *,
    user_ids: Sequence[UserId],
    state: UserCardState | None,
    limit: int,
) -> Mapping[UserId, list[PackedCard]]:
    """The newest cards of each of these users."""
    rows = await connection.fetch(QUERIES["list_packed_pages"], user_ids, state, limit)
    return {user_id: list(map(_PACKED.unpack, cards)) for user_id, cards in rows}


async def list_user_cards(
    connection: ReadConnection, *, user_id: UserId, user_card_ids: Sequence[UserCardId]
) -> list[UserCard]:
    """Those of the named cards that are this user's."""
    rows = await connection.fetch(QUERIES["list_user_cards"], user_id, user_card_ids)
    return [UserCard(*row) for row in rows]


async def update_user_card_states(
    connection: Connection,
    *,
    user_id: UserId,
    user_card_ids: Sequence[UserCardId],
    from_state: UserCardState,
    to_state: UserCardState,
) -> set[UserCardId]:
    """Move cards from one state to another; gives those that were in the first."""
    rows = await connection.fetch(
        QUERIES["update_user_card_states"], user_id, user_card_ids, from_state, to_state
    )
    return {row["id"] for row in rows}


async def forfeit_user_cards(
    connection: Connection, user_id: UserId
) -> list[tuple[CardId, StockItemId | None]]:
    """Give up everything in a vault; gives each card and its copy, if it has one."""
    rows = await connection.fetch(QUERIES["forfeit_user_cards"], user_id)
    return [(row["card_id"], row["stock_item_id"]) for row in rows]


async def count_user_cards(
    connection: ReadConnection, user_id: UserId
) -> dict[tuple[Tier, UserCardState], int]:
    """How many cards of each tier and state."""
    rows = await connection.fetch(QUERIES["count_user_cards"], user_id)
    return {(row["tier"], row["state"]): row["cards"] for row in rows}


async def list_users_with_ending(
    connection: ReadConnection,
    *,
    created_from: datetime,
    created_until: datetime,
    ends_from: datetime,
    ends_until: datetime,
) -> list[UserId]:
    """Whose cards of these openings may be sold back until then and no longer."""
    rows = await connection.fetch(
        QUERIES["list_users_with_ending"], created_from, created_until, ends_from, ends_until
    )
    return [UserId(row["user_id"]) for row in rows]


async def insert_sell_back_notices(
    connection: Connection, user_ids: Sequence[UserId], *, day: date
) -> list[UserId]:
    """Note that these are told of a day; gives those who were not told before."""
    rows = await connection.fetch(QUERIES["insert_sell_back_notices"], user_ids, day)
    return [UserId(row["user_id"]) for row in rows]


async def delete_old_sell_back_notices(connection: Connection, *, before: date) -> None:
    """Forget who was told of days that are over."""
    await connection.execute(QUERIES["delete_old_sell_back_notices"], before)


async def count_ending(
    connection: ReadConnection, user_id: UserId, *, ends_from: datetime, ends_until: datetime
) -> tuple[int, int]:
    """How many of a collector's cards may be sold back until then and no longer, and for what."""
    row = await connection.fetchrow(QUERIES["count_ending"], user_id, ends_from, ends_until)
    return (0, 0) if row is None else (row["cards"], row["amount"])
