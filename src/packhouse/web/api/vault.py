"""The vault over the API: one's cards, and selling them back."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from packhouse import vault
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, SoldBack, sell_cards_back
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import OpeningId, UserCardId, UserId
from packhouse.foundation.limits import CARD_VALUE_MAX_MINOR, PAGE_LIMIT_DEFAULT
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.vault import (
    PackedCard,
    UserCard,
    UserCardState,
    VaultFilter,
    VaultPosition,
    VaultSort,
)
from packhouse.web.api.pages_of_results import ResultPage, page_of
from packhouse.web.api.requests import ApiRequest, IdempotencyKey, Limit
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor
from packhouse.web.reading import read_together

MOMENTS_KEPT: Final = 4_096

_YEAR_2000: Final = datetime(2000, 1, 1, tzinfo=UTC)

_PACKED_ITEM: Final = (
    b'{"id":"%b","card":%b,"tier":"%b","value":%d,"state":"%b",'
    b'"sell_back":{"amount":%d,"until":"%b"},"is_shippable":%b,"opening_id":"%b","created_at":"%b"}'
)
"""A ``VaultCard``."""


class VaultCursor(msgspec.Struct, frozen=True):
    """The last card of the page before; a cursor may be forged, so its value is bounded here."""

    id: UserCardId
    value: Annotated[int, msgspec.Meta(ge=0, le=CARD_VALUE_MAX_MINOR)]


class SellBackOffer(msgspec.Struct, frozen=True):
    """What the shop pays for a card while it is vaulted, and until when; in minor units."""

    amount: int
    until: datetime


class VaultCard(msgspec.Struct, frozen=True):
    """One of your cards; ``id`` is its ``user_card_id`` everywhere else, ``value`` was locked."""

    id: UserCardId
    card: CardFace
    tier: Tier
    value: int
    state: UserCardState
    sell_back: SellBackOffer
    is_shippable: bool
    opening_id: OpeningId
    created_at: datetime


class VaultQuery(msgspec.Struct, frozen=True):
    """A page of a vault, after ``after`` in the wanted order."""

    wanted: VaultFilter
    limit: int
    after: VaultPosition | None


async def read_vault_page(
    house: House, user_id: UserId, query: VaultQuery
) -> ResultPage[VaultCard]:
    """A user's cards with their faces."""
    async with house.database.reading() as connection:
        cards = await vault.list_vault_page(
            connection,
            user_id=user_id,
            wanted=query.wanted,
            after=query.after,
            limit=query.limit + 1,
        )
        found = page_of(
            cards,
            limit=query.limit,
            position=lambda card: VaultCursor(id=card.id, value=card.value),
        )
        faces = await house.cards.list_faces(connection, {card.card_id for card in found.items})
    items = tuple(_vault_card(card, faces[card.card_id]) for card in found.items)
    return ResultPage(items=items, next_cursor=found.next_cursor)


async def encode_vault_page(house: House, user_id: UserId, query: VaultQuery) -> bytes:
    """The JSON of ``read_vault_page``; what most look at is read for all who ask in one query."""
    if query.after is not None or query.wanted.tier is not None or query.wanted.sort != "newest":
        return msgspec.json.encode(await read_vault_page(house, user_id, query))
    return await read_together(
        house, user_id, question=query, read=partial(_encode_newest_pages, query)
    )


async def _encode_newest_pages(
    query: VaultQuery, house: House, user_ids: Sequence[UserId]
) -> list[bytes]:
    async with house.database.reading() as connection:
        pages = await vault.list_packed_pages(
            connection, user_ids=user_ids, state=query.wanted.state, limit=query.limit + 1
        )
        faces = await house.cards.encode_faces(
            connection, {card[2] for page in pages.values() for card in page}
        )
    return [_encode_packed(pages[user_id], faces, limit=query.limit) for user_id in user_ids]


def _encode_packed(
    cards: Sequence[PackedCard], faces: Mapping[bytes, bytes], *, limit: int
) -> bytes:
    """A page of ``VaultCard``; making each of them first takes longer than all the rest."""
    found = page_of(cards, limit=limit, position=_cursor_of)
    items = b",".join([_encode_card(card, faces) for card in found.items])
    return b'{"items":[%b],"next_cursor":%b}' % (items, msgspec.json.encode(found.next_cursor))


def _encode_card(card: PackedCard, faces: Mapping[bytes, bytes]) -> bytes:
    id_, opening_id, card_id, value, amount, until, made_at, is_physical, tier, state = card
    return _PACKED_ITEM % (
        id_,
        faces[card_id],
        tier.rstrip(),
        value,
        state.rstrip(),
        amount,
        _rfc3339(until),
        b"true" if is_physical and state.startswith(b"vaulted") else b"false",
        opening_id,
        _rfc3339(made_at),
    )


def _cursor_of(card: PackedCard) -> VaultCursor:
    return VaultCursor(id=UserCardId(UUID(card[0].decode())), value=card[3])


@lru_cache(MOMENTS_KEPT)
def _rfc3339(moment: int) -> bytes:
    """A packed moment as an answer has it; the cards of an opening share theirs."""
    return msgspec.json.encode(_YEAR_2000 + timedelta(microseconds=moment)).strip(b'"')


StateFilter = Annotated[UserCardState | None, QueryParameter(name="state")]
"""The framework keeps the plain name for itself."""


@get("/api/v1/vault", tags=["vault"])
async def list_vault(
    request: ApiRequest,
    tier: FromQuery[Tier | None] = None,
    state_: StateFilter = None,
    sort: FromQuery[VaultSort] = "newest",
    limit: Limit = PAGE_LIMIT_DEFAULT,
    cursor: FromQuery[str | None] = None,
) -> ResultPage[VaultCard]:
    """Your cards, of one tier or state if you like, newest or dearest first."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    last = read_cursor(cursor, VaultCursor)
    query = VaultQuery(
        wanted=VaultFilter(tier=tier, state=state_, sort=sort),
        limit=limit,
        after=None if last is None else VaultPosition(id=last.id, value=last.value),
    )
    return await read_vault_page(context.house, viewer.user_id, query)


@post("/api/v1/vault/sales", status_code=201, tags=["vault"])
async def create_sale(
    request: ApiRequest, data: JSONBody[SaleRequest], idempotency_key: IdempotencyKey = None
) -> SoldBack:
    """Sell cards back to the shop: all of them or none."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    repeat = recognise(
        user_id=viewer.user_id,
        route="POST /api/v1/vault/sales",
        key=idempotency_key,
        request=data,
    )
    command = SellCardsBack(user_id=viewer.user_id, request=data, repeat=repeat)
    return await sell_cards_back(context.house, command)


def _vault_card(card: UserCard, face: CardFace) -> VaultCard:
    return VaultCard(
        id=card.id,
        card=face,
        tier=card.tier,
        value=card.value,
        state=card.state,
        sell_back=SellBackOffer(amount=card.sell_back_amount, until=card.sell_back_until),
        is_shippable=card.is_shippable,
        opening_id=card.opening_id,
        created_at=card.created_at,
    )


VAULT_HANDLERS = [list_vault, create_sale]
