"""Cards in a list: the search that the stock page and the catalogue share."""

from typing import Final

import msgspec

from packhouse import catalog
from packhouse.catalog import Card
from packhouse.foundation.cards import CardFace
from packhouse.foundation.tiers import TIERS, Tier
from packhouse.plumbing.postgres import ReadConnection
from packhouse.web.operator.forms import PageRequest, clean
from packhouse.web.operator.frame import address, list_options, search_of
from packhouse.web.queries import read_cursor, write_cursor

CARDS_PAGE: Final = 60


class CardSearch(msgspec.Struct, frozen=True):
    """What was searched for, and after which card of the list."""

    q: str
    set_code: str
    tier: Tier | None
    after: tuple[str, str] | None


class FoundCards(msgspec.Struct, frozen=True):
    """A page of cards, what can be filtered by, and the way to the next page."""

    cards: tuple[Card, ...]
    sets: tuple[tuple[str, str, int], ...]
    search: CardSearch
    more_href: str | None

    @property
    def set_options(self) -> list[dict[str, str]]:
        """The sets as a select field takes them."""
        return list_options(
            [("", "All sets"), *((code, f"{name} ({count})") for code, name, count in self.sets)]
        )

    @property
    def tier_options(self) -> list[dict[str, str]]:
        """The tiers as a select field takes them, best first."""
        return list_options([("", "All tiers"), *((tier, tier) for tier in reversed(TIERS))])


def card_search(request: PageRequest) -> CardSearch:
    """What the query string asks for. Raises ``BadCursor``."""
    said = search_of(request, "q", "set", "tier", "after")
    after = read_cursor(said["after"], tuple[str, str])
    return CardSearch(
        q=said["q"],
        set_code=said["set"],
        tier=next((tier for tier in TIERS if tier == said["tier"]), None),
        after=None if after is None else (clean(after[0]), clean(after[1])),
    )


async def list_found_cards(
    connection: ReadConnection, search: CardSearch, *, path: str
) -> FoundCards:
    """One page of what was searched for; ``path`` is where the next page is."""
    found = await catalog.list_cards_page(
        connection,
        search=search.q or None,
        set_code=search.set_code or None,
        tier=search.tier,
        after=search.after,
        limit=CARDS_PAGE + 1,
    )
    shown = found[:CARDS_PAGE]
    more: str | None = None
    if len(found) > CARDS_PAGE:
        position = write_cursor((shown[-1].set_code, shown[-1].number))
        more = address(path, q=search.q, set=search.set_code, tier=search.tier, after=position)
    sets = await catalog.list_sets(connection)
    return FoundCards(cards=tuple(shown), sets=tuple(sets), search=search, more_href=more)


class TieredFace(CardFace, frozen=True):
    """A card as page parts take it, with its present tier and value."""

    tier: Tier
    value: int


def face_of(card: Card, image_url: str | None) -> TieredFace:
    """A card as page parts take it."""
    return TieredFace(
        id=card.id,
        name=card.name,
        set=card.set_name,
        number=card.number,
        image_url=image_url,
        tier=card.tier,
        value=card.value,
    )
