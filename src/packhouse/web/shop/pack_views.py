"""Packs as pages show them: the wrapper with its short true words, and the terms in full."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Final

import msgspec

from packhouse import draws
from packhouse.draws import PackConfig, ShelvedPack
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId, PackVersionId
from packhouse.foundation.limits import PACKS_PER_OPENING_MAX
from packhouse.foundation.money import BASIS_POINTS
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.web.shop.odds import (
    PackOddsNow,
    about_one_in,
    best_tier_of,
    count_a_pack,
    percent_of,
)

BEST_CARDS_SHOWN = 6

_best_tiers: Final[dict[PackVersionId, str]] = {}
"""Of every version that was on sale since this process began: a few words each."""


class PackFace(msgspec.Struct, frozen=True):
    """What the wrapper shows."""

    slug: str
    name: str
    price: int
    image_url: str | None


class ShelfTile(msgspec.Struct, frozen=True):
    """A pack on the shelf; ``left`` of ``size`` packs for a finite lot."""

    face: PackFace
    note: str
    chips: tuple[str, ...]
    left: int | None
    size: int | None
    is_sold_out: bool


class PossibleCard(msgspec.Struct, frozen=True):
    """A card that may come out, and how often on average."""

    card: CardFace
    tier: Tier
    value: int
    note: str


class PackTerms(msgspec.Struct, frozen=True):
    """What a pack promises besides its odds, in words."""

    sell_back: str
    out_of_stock: str
    config_hash: str
    version: int


def pack_face(pack: ShelvedPack, *, media_url: Callable[[str], str]) -> PackFace:
    """The wrapper of a pack on sale."""
    return PackFace(
        slug=pack.slug,
        name=pack.config.name,
        price=pack.config.price,
        image_url=None if pack.picture is None else media_url(pack.picture),
    )


def shelf_tile(pack: ShelvedPack, *, media_url: Callable[[str], str]) -> ShelfTile:
    """A pack on sale as the shelf shows it."""
    config = pack.config
    kind = "Drawn by odds" if config.lot is None else f"A lot of {config.lot.packs:,} packs"
    return ShelfTile(
        face=pack_face(pack, media_url=media_url),
        note=count_of_cards(config),
        chips=(count_of_cards(config), kind, _best_in_words(pack)),
        left=pack.packs_left,
        size=None if config.lot is None else config.lot.packs,
        is_sold_out=pack.is_sold_out,
    )


def _best_in_words(pack: ShelvedPack) -> str:
    """Adding up a hundred fractions takes milliseconds, and no version ever changes."""
    words = _best_tiers.get(pack.version_id)
    if words is None:
        tier, expected = best_tier_of(pack.config)
        words = _best_tiers[pack.version_id] = f"{tier}: {about_one_in(expected)}"
    return words


def count_of_cards(config: PackConfig) -> str:
    """``1 card`` or ``8 cards``."""
    return counted(draws.cards_in_a_pack(config), "card")


def counted(count: int, word: str) -> str:
    """``1 card``, ``2 cards``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def most_packs_at_once(pack: ShelvedPack) -> int:
    """How many packs one form may ask for."""
    if pack.packs_left is None:
        return PACKS_PER_OPENING_MAX
    return max(1, min(PACKS_PER_OPENING_MAX, pack.packs_left))


def terms_of(pack: ShelvedPack) -> PackTerms:
    """Sell-back, what happens without stock, and which version this is."""
    config = pack.config
    rate = percent_of(Fraction(config.sell_back.rate_basis_points, BASIS_POINTS))
    window = _span(timedelta(seconds=config.sell_back.window_seconds))
    return PackTerms(
        sell_back=f"{rate} of a card’s value, for {window}",
        out_of_stock=(
            "The card that was drawn is owed. If no copy is left, its full value is credited."
        ),
        config_hash=pack.compiled.config_hash.hex(),
        version=config.number,
    )


def best_cards(config: PackConfig, now: PackOddsNow) -> tuple[list[PossibleCard], int]:
    """The best cards that can still come, best first, and how many different ones there are."""
    expected = {each.card: each.expected_count for each in draws.list_card_chances(config)}
    possible = [row for row in now.cards if row.listed is None or row.copies]
    shown = [
        PossibleCard(
            card=row.card,
            tier=row.tier,
            value=row.value,
            note=count_a_pack(expected[CardId(row.card.id)]).capitalize()
            if row.listed is None
            else f"{row.copies:,} of {row.listed:,} left",
        )
        for row in possible[:BEST_CARDS_SHOWN]
    ]
    return shown, len(possible)


async def faces_of(house: House, card_ids: Collection[CardId]) -> Mapping[CardId, CardFace]:
    """The faces of cards by id, read over a connection of its own."""
    async with house.database.reading() as connection:
        return await house.cards.list_faces(connection, card_ids)


def _span(length: timedelta) -> str:
    if length.days:
        return counted(length.days, "day")
    return counted(int(length.total_seconds()) // 3600, "hour")
