"""The vault: one's cards by tier and state, and selling them back."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args
from urllib.parse import urlencode

import msgspec
from litestar import get, post

from packhouse import vault
from packhouse.accounts import SessionUser
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, sell_cards_back
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import Refusal
from packhouse.foundation.identifiers import CardId, UserCardId
from packhouse.foundation.limits import CARDS_PER_SALE_MAX
from packhouse.foundation.money import format_minor
from packhouse.foundation.tiers import TIERS, Tier
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.vault import UserCard, UserCardState, VaultFilter, VaultPosition
from packhouse.web.api.pages_of_results import page_of
from packhouse.web.api.vault import VaultCursor
from packhouse.web.context import context_of
from packhouse.web.queries import read_cursor
from packhouse.web.shop.feed import older_link, tier_of
from packhouse.web.shop.forms import Form, parse_form, read_form
from packhouse.web.shop.frame import Page, PageRequest, query_of, see_other, shop_page
from packhouse.web.shop.pack_views import faces_of

CARDS_A_PAGE = 24
ALL_STATES: Final = "all"

STATE_WORDS: Final[Mapping[UserCardState, str]] = {
    "vaulted": "In the vault",
    "reserved": "Being sent",
    "shipped": "Shipped",
    "sold": "Sold back",
    "lost": "Lost",
    "forfeited": "Given up",
}

SENTENCES = {
    "user_card_ids": f"Choose the cards first: 1 to {CARDS_PER_SALE_MAX} of them.",
}


class VaultTile(msgspec.Struct, frozen=True):
    """A user card with its face, and what selling it back would bring, if that can be done."""

    card: CardFace
    held: UserCard
    note: str | None
    sell_back: int | None
    is_chosen: bool

    @property
    def has_choice(self) -> bool:
        """Whether anything can be done with it."""
        return self.sell_back is not None or self.held.is_shippable


class VaultView(msgspec.Struct, frozen=True):
    """What the vault shows: ``state`` None for every state."""

    tier: Tier | None
    state: UserCardState | None
    sort: vault.VaultSort

    def href(self, **changes: str | None) -> str:
        """The vault's address with some of the filters changed."""
        state = self.state or ALL_STATES
        values = {"tier": self.tier, "state": state, "sort": self.sort} | changes
        kept = {name: value for name, value in values.items() if value}
        if kept.get("state") == "vaulted":
            del kept["state"]
        if kept.get("sort") == "newest":
            del kept["sort"]
        return f"/vault?{urlencode(kept)}" if kept else "/vault"


@get("/vault")
async def show_vault(request: PageRequest) -> Page:
    """One's cards."""
    return await show_vault_page(request)


async def show_vault_page(request: PageRequest) -> Page:
    """The same, for whoever asks without the framework."""
    viewer = context_of(request.scope).require_viewer()
    return await _vault_page(request, viewer)


@post("/vault/sales")
async def sell_back(request: PageRequest) -> Page:
    """Sell cards back; whoever has not seen the total yet sees it first."""
    context = context_of(request.scope)
    viewer = context.require_viewer()
    form = await read_form(request)
    try:
        wanted = _in_order(parse_form(form, SaleRequest, SENTENCES))
        cards = await _list_cards(context.house, viewer, wanted.user_card_ids)
        total = sum(card.sell_back_amount for card in cards)
        if form.text("total") != str(total):
            return await _confirmation(request, wanted.user_card_ids, cards)
        # A card is sold back once in its life, so the cards themselves are the key of their sale.
        ids = ",".join(str(card_id) for card_id in wanted.user_card_ids)
        repeat = recognise(
            user_id=viewer.user_id,
            route="POST /vault/sales",
            key=hashlib.sha256(ids.encode()).hexdigest(),
            request=wanted,
        )
        await sell_cards_back(
            context.house, SellCardsBack(user_id=viewer.user_id, request=wanted, repeat=repeat)
        )
    except Refusal as error:
        return await _vault_page(request, viewer, form=form, error=error)
    return see_other("/vault", done="cards-sold")


def _in_order(wanted: SaleRequest) -> SaleRequest:
    """The same sale, however its cards were chosen."""
    return SaleRequest(user_card_ids=tuple(sorted(set(wanted.user_card_ids))))


async def _confirmation(
    request: PageRequest, wanted: Sequence[UserCardId], cards: Sequence[UserCard]
) -> Page:
    house = context_of(request.scope).house
    vault.require_all_found(wanted, cards)
    total = vault.sell_back_total(cards, now=house.clock())
    faces = await faces_of(house, {card.card_id for card in cards})
    tiles = [_tile(card, faces, house) for card in cards]
    return await shop_page(request, "sale.html", {"tiles": tiles, "total": total})


async def _vault_page(
    request: PageRequest,
    viewer: SessionUser,
    *,
    form: Form | None = None,
    error: Refusal | None = None,
) -> Page:
    house = context_of(request.scope).house
    query = query_of(request)
    view = _view(query)
    position = read_cursor(query.get("cursor"), VaultCursor)
    async with house.database.reading() as connection:
        found = await vault.list_vault_page(
            connection,
            user_id=viewer.user_id,
            wanted=VaultFilter(tier=view.tier, state=view.state, sort=view.sort),
            after=None if position is None else VaultPosition(id=position.id, value=position.value),
            limit=CARDS_A_PAGE + 1,
        )
        counts = await vault.count_user_cards(connection, viewer.user_id)
    shown = page_of(
        found, limit=CARDS_A_PAGE, position=lambda card: VaultCursor(id=card.id, value=card.value)
    )
    faces = await faces_of(house, {card.card_id for card in shown.items})
    chosen = () if form is None else form.texts("user_card_ids")
    tiles = [_tile(card, faces, house, chosen=chosen) for card in shown.items]
    state = view.state or ALL_STATES
    return await shop_page(
        request,
        "vault.html",
        {
            "view": view,
            "tiles": tiles,
            "has_choice": any(tile.has_choice for tile in tiles),
            "total_cards": sum(counts.values()),
            "state_tabs": _state_tabs(view, counts),
            "tier_tabs": _tier_tabs(view, counts),
            "older": older_link(
                "/vault", shown.next_cursor, tier=view.tier, state=state, sort=view.sort
            ),
        },
        error=error,
    )


def _view(query: Mapping[str, str]) -> VaultView:
    asked = query.get("state", "vaulted")
    known: tuple[UserCardState, ...] = get_args(UserCardState)
    state = next((state for state in known if state == asked), None)
    return VaultView(
        tier=tier_of(query.get("tier")),
        state=state if state is not None or asked == ALL_STATES else "vaulted",
        sort="value" if query.get("sort") == "value" else "newest",
    )


def _state_tabs(
    view: VaultView, counts: Mapping[tuple[Tier, UserCardState], int]
) -> list[dict[str, Any]]:
    by_state = {
        state: sum(count for (_, held), count in counts.items() if held == state)
        for state in STATE_WORDS
    }
    tabs = [
        {
            "label": words,
            "href": view.href(state=state),
            "is_current": view.state == state,
            "count": by_state[state],
        }
        for state, words in STATE_WORDS.items()
        if by_state[state] or state in ("vaulted", view.state)
    ]
    everything = {
        "label": "All",
        "href": view.href(state=ALL_STATES),
        "is_current": view.state is None,
        "count": sum(by_state.values()),
    }
    return [*tabs, everything]


def _tier_tabs(
    view: VaultView, counts: Mapping[tuple[Tier, UserCardState], int]
) -> list[dict[str, Any]]:
    held = dict.fromkeys(reversed(TIERS), 0)
    for (tier, state), count in counts.items():
        if view.state in (None, state):
            held[tier] += count
    everything = {
        "label": "All tiers",
        "href": view.href(tier=None),
        "is_current": view.tier is None,
    }
    return [
        everything,
        *(
            {
                "label": tier,
                "href": view.href(tier=tier),
                "is_current": view.tier == tier,
                "count": count,
            }
            for tier, count in held.items()
            if count or tier == view.tier
        ),
    ]


def _tile(
    card: UserCard,
    faces: Mapping[CardId, CardFace],
    house: House,
    *,
    chosen: Sequence[str] = (),
) -> VaultTile:
    may_be_sold = card.may_be_sold_back(house.clock())
    return VaultTile(
        card=faces[card.card_id],
        held=card,
        note=_note(card, may_be_sold=may_be_sold),
        sell_back=card.sell_back_amount if may_be_sold else None,
        is_chosen=bool(chosen) and str(card.id) in chosen,
    )


def _note(card: UserCard, *, may_be_sold: bool) -> str | None:
    if card.state != "vaulted":
        return None
    kind = "" if card.is_shippable else "Digital. "
    if not may_be_sold:
        return f"{kind}Its sell-back time is over."
    until = card.sell_back_until
    # Spaces that do not break, so that a date stays on one line.
    day = f"{until.day}\N{NO-BREAK SPACE}{until:%b}"
    return f"{kind}Sells back for {format_minor(card.sell_back_amount)} until {day}."


async def _list_cards(
    house: House, viewer: SessionUser, wanted: Sequence[UserCardId]
) -> list[UserCard]:
    async with house.database.reading() as connection:
        return await vault.list_user_cards(connection, user_id=viewer.user_id, user_card_ids=wanted)


VAULT_HANDLERS = [show_vault, sell_back]
