"""A pack's true odds at this moment, as the API shows them: exact, and as of a pull of the feed.

Chances are fractions in lowest terms as text, ``"3/40"``, beside whole numbers; never floats.
"""

import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Final, cast

import msgspec

from packhouse import draws
from packhouse.draws import (
    CopiesNow,
    LotNow,
    LotPrizeCount,
    OddsNow,
    PackConfig,
    PrizeLeft,
    ShelvedPack,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import CardId, PackVersionId
from packhouse.foundation.tiers import Tier
from packhouse.house import House

COPIES_SECONDS: Final = 5.0
"""How old the count of an odds pack's free copies may be; the answer says as of which pull.

100,000 copies take PostgreSQL about 20 ms, so it does not count them for every visitor.
"""

VERSIONS_KEPT: Final = 200
"""How many versions' odds one process keeps in memory."""

PER_MILLION: Final = 1_000_000


class ExactChance(msgspec.Struct, frozen=True):
    """A probability: exactly, in lowest terms, and in millionths, rounded to the nearest one."""

    exact: str
    per_million: int


class ExactAmount(msgspec.Struct, frozen=True):
    """A mean in minor units: exactly, in lowest terms, and rounded down to a whole minor unit."""

    exact: str
    minor: int


class TierOddsNow(msgspec.Struct, frozen=True):
    """A tier now. The chances are those of ``CardOddsNow``; ``copies`` is null for an odds pack."""

    tier: Tier
    copies: int | None
    next_draw: ExactChance | None
    at_least_one: ExactChance
    expected_count: str


class CardOddsNow(msgspec.Struct, frozen=True):
    """A card now. ``at_least_one`` is the chance that the next pack holds one or more of it.

    ``copies`` are those left: in the lot, or free on sale for a physical card of an odds pack; null
    for a digital card. ``next_draw`` is the chance of the very next draw of a lot, null for an odds
    pack, whose slots differ; ``expected_count`` is how many the next pack holds on average.
    """

    card: CardFace
    tier: Tier
    value: int
    copies: int | None
    next_draw: ExactChance | None
    at_least_one: ExactChance
    expected_count: str


class PackNow(msgspec.Struct, frozen=True):
    """The true odds of the next pack, as of the feed's pull ``sequence``.

    A lot's odds follow exactly from its prizes less the pulls of it up to that sequence, so the
    counts may be an instant older than ``lot.prizes`` and ``packs_left`` beside them. Values are
    means in minor units: ``expected_value`` of the cards, ``value_after_sell_back`` of selling all
    of them back at once, each card's share rounded down. ``is_last_pack`` says that the last-one
    prize goes with the next pack: it is in both values, but in no chance, since it is not drawn.
    ``rests`` says that the pack cannot be opened until it is restocked.
    """

    sequence: int
    rests: bool
    cards_left: int | None
    packs_left: int | None
    is_last_pack: bool
    tiers: tuple[TierOddsNow, ...]
    cards: tuple[CardOddsNow, ...]
    expected_value: ExactAmount
    value_after_sell_back: ExactAmount


class _Counted(msgspec.Struct, frozen=True):
    """A version's free copies, good until a moment of the monotonic clock."""

    until: float
    copies: CopiesNow


class _Encoded(msgspec.Struct, frozen=True):
    """An odds pack's answer as JSON, and what it was made from."""

    copies: CopiesNow
    faces: Mapping[CardId, CardFace]
    rests: bool
    now: msgspec.Raw


class OddsPacksNow:
    """Works out each version's odds once, and counts its copies every few seconds."""

    def __init__(self) -> None:
        self._odds: dict[PackVersionId, OddsNow] = {}
        self._counted: dict[PackVersionId, _Counted] = {}
        self._encoded: dict[PackVersionId, _Encoded] = {}

    async def odds_of(self, house: House, pack: ShelvedPack) -> tuple[OddsNow, CopiesNow]:
        """The odds of every pack of an odds pack's version, with the copies on sale."""
        odds = self._odds.get(pack.version_id)
        if odds is None:
            odds = draws.odds_pack_now(pack.config)
            self._odds[pack.version_id] = odds
            self._forget_the_oldest()
        copies = await self._copies_of(house, pack)
        return with_copies(pack.config, odds, copies), copies

    async def show(
        self, house: House, pack: ShelvedPack, faces: Mapping[CardId, CardFace]
    ) -> PackNow:
        """What ``pack``, an odds pack on sale, holds now."""
        odds, copies = await self.odds_of(house, pack)
        kept = self._encoded.get(pack.version_id)
        if (
            kept is None
            or kept.copies is not copies
            or kept.faces is not faces
            or kept.rests != pack.is_paused
        ):
            shown = _show(odds, faces, sequence=copies.sequence, rests=pack.is_paused)
            now = msgspec.Raw(msgspec.json.encode(shown))
            kept = _Encoded(copies=copies, faces=faces, rests=pack.is_paused, now=now)
            self._encoded[pack.version_id] = kept
        # Encoded once, and put into the answer as it is: nobody reads its fields in between.
        return cast("PackNow", kept.now)

    async def _copies_of(self, house: House, pack: ShelvedPack) -> CopiesNow:
        moment = time.monotonic()
        kept = self._counted.get(pack.version_id)
        if kept is not None and kept.until > moment:
            return kept.copies
        until = moment + COPIES_SECONDS
        if kept is not None:
            # Whoever comes while this one counts takes the old count, and does not count too.
            self._counted[pack.version_id] = msgspec.structs.replace(kept, until=until)
        physical = [each.card for each in draws.list_card_chances(pack.config) if each.physical]
        async with house.database.reading() as connection:
            copies = await draws.count_copies_now(connection, physical)
        self._counted[pack.version_id] = _Counted(until=until, copies=copies)
        return copies

    def _forget_the_oldest(self) -> None:
        for version_id in list(self._odds)[:-VERSIONS_KEPT]:
            del self._odds[version_id]
            self._counted.pop(version_id, None)
            self._encoded.pop(version_id, None)


odds_packs_now: Final = OddsPacksNow()
"""What this process knows; the API and the pages share it."""


async def find_lot_now(house: House, pack: ShelvedPack) -> LotNow | None:
    """What is left of the pack's lot; None for an odds pack."""
    if pack.lot_id is None:
        return None
    async with house.database.reading() as connection:
        return await draws.find_lot_now(connection, pack.lot_id)


def with_copies(config: PackConfig, odds: OddsNow, copies: CopiesNow) -> OddsNow:
    """The odds with the number of free copies of each physical card."""
    counted = {
        chance.card: copies.copies[chance.card]
        for chance in draws.list_card_chances(config)
        if chance.physical
    }
    cards = tuple(
        msgspec.structs.replace(card, copies=counted.get(card.card)) for card in odds.cards
    )
    return msgspec.structs.replace(odds, cards=cards)


def lot_odds(config: PackConfig, lot: LotNow) -> OddsNow:
    """The odds of a lot's next pack, from what the feed has not shown to be gone."""
    last_one = next((prize for prize in lot.prizes if prize.is_last_one), None)
    return draws.lot_odds_now(
        config,
        [_left_of(prize) for prize in lot.prizes if not prize.is_last_one],
        last_one=None if last_one is None or not last_one.unpulled else _left_of(last_one),
    )


def show_lot(pack: ShelvedPack, lot: LotNow, faces: Mapping[CardId, CardFace]) -> PackNow:
    """A lot by what is left of it."""
    return _show(lot_odds(pack.config, lot), faces, sequence=lot.sequence, rests=pack.is_paused)


def _left_of(prize: LotPrizeCount) -> PrizeLeft:
    return PrizeLeft(card=prize.card_id, tier=prize.tier, value=prize.value, copies=prize.unpulled)


def _show(
    odds: OddsNow,
    faces: Mapping[CardId, CardFace],
    *,
    sequence: int,
    rests: bool,
) -> PackNow:
    return PackNow(
        sequence=sequence,
        rests=rests,
        cards_left=odds.cards_left,
        packs_left=odds.packs_left,
        is_last_pack=odds.last_one,
        tiers=tuple(
            TierOddsNow(
                tier=each.tier,
                copies=each.copies,
                next_draw=_chance_or_none(each.chance.next_draw),
                at_least_one=_chance(each.chance.at_least_one),
                expected_count=_exact(each.chance.expected_count),
            )
            for each in odds.tiers
        ),
        cards=tuple(
            CardOddsNow(
                card=faces[each.card],
                tier=each.tier,
                value=each.value,
                copies=each.copies,
                next_draw=_chance_or_none(each.chance.next_draw),
                at_least_one=_chance(each.chance.at_least_one),
                expected_count=_exact(each.chance.expected_count),
            )
            for each in odds.cards
        ),
        expected_value=_amount(odds.expected_value),
        value_after_sell_back=_amount(odds.value_after_sell_back),
    )


def _exact(number: Fraction) -> str:
    """Always with its denominator, so that one rule reads every number."""
    return f"{number.numerator}/{number.denominator}"


def _chance(share: Fraction) -> ExactChance:
    return ExactChance(exact=_exact(share), per_million=round(share * PER_MILLION))


def _chance_or_none(share: Fraction | None) -> ExactChance | None:
    return None if share is None else _chance(share)


def _amount(amount: Fraction) -> ExactAmount:
    return ExactAmount(exact=_exact(amount), minor=amount.numerator // amount.denominator)
