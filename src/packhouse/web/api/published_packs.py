"""What is published about a pack: the price, and exact odds down to each card.

Chances are whole numbers: ``weight`` out of ``of``. Nothing here is a float.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, cast

import msgspec

from packhouse import draws
from packhouse.draws import (
    Layout,
    LotNow,
    LotPrizeCount,
    PackConfig,
    SellBack,
    ShelvedPack,
    Slot,
    TierOdds,
)
from packhouse.foundation.cards import CardFace
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import CardId, LotId, PackVersionId
from packhouse.foundation.tiers import Tier
from packhouse.house import House
from packhouse.web.api.packs_now import PackNow, find_lot_now, odds_packs_now, show_lot

FACES_SECONDS: Final = 5.0
"""How long a renamed card keeps its old name in the odds; the odds themselves never change."""


class ExactNumber(msgspec.Struct, frozen=True):
    """A fraction in lowest terms."""

    numerator: int
    denominator: int


class ExpectedValue(msgspec.Struct, frozen=True):
    """A mean in minor units: exactly, and rounded down to a whole minor unit."""

    numerator: int
    denominator: int
    minor: int


class CardChances(msgspec.Struct, frozen=True):
    """One card's chance among its tier's: ``weight`` out of ``of``; its value in minor units."""

    card: CardFace
    weight: int
    of: int
    value: int
    is_physical: bool


class TierChances(msgspec.Struct, frozen=True):
    """One tier's chance in a slot: ``weight`` out of ``of``."""

    tier: Tier
    weight: int
    of: int
    cards: tuple[CardChances, ...]


class SlotChances(msgspec.Struct, frozen=True):
    """``count`` cards of the pack, each drawn by these odds."""

    name: str
    count: int
    tiers: tuple[TierChances, ...]


class LayoutChances(msgspec.Struct, frozen=True):
    """One way in which the pack can be made up: ``weight`` out of ``of``."""

    name: str
    weight: int
    of: int
    slots: tuple[SlotChances, ...]


class PublishedOdds(msgspec.Struct, frozen=True):
    """The odds of a pack that is drawn anew each time."""

    layouts: tuple[LayoutChances, ...]


class LotPrizeLeft(msgspec.Struct, frozen=True):
    """A prize of a lot: how many copies it began with, and how many are left now."""

    card: CardFace
    tier: Tier
    value: int
    count: int
    remaining: int


class LastOnePrize(msgspec.Struct, frozen=True):
    """What whoever opens the last pack gets besides."""

    card: CardFace
    tier: Tier
    value: int


class PublishedLot(msgspec.Struct, frozen=True):
    """A finite lot: what it promised and what is left. Hashes are hexadecimal SHA-256 values.

    ``server_seed``, whose hash is ``commitment``, is null until the last pack is drawn.
    """

    id: LotId
    packs: int
    packs_left: int
    cards_per_pack: int
    manifest_root: str
    commitment: str
    server_seed: str | None
    prizes: tuple[LotPrizeLeft, ...]
    last_one: LastOnePrize | None


class TierExpectation(msgspec.Struct, frozen=True):
    """How many cards of a tier one pack holds on average; of a lot, when it was new."""

    tier: Tier
    expected_count: ExactNumber


class PublishedPack(msgspec.Struct, frozen=True):
    """A pack on sale. An odds pack has ``odds``, a finite lot has ``lot`` and ``packs_left``.

    Amounts in minor units; ``config_hash`` names the published version that is drawn from.
    ``expected_value`` and ``tiers`` are those of the version when it was new, ``now`` those of the
    next pack.
    """

    slug: str
    name: str
    description: str
    kind: Literal["odds", "lot"]
    price: int
    config_hash: str
    version: int
    published_at: datetime
    image_url: str | None
    sold_out: bool
    packs_left: int | None
    cards_per_pack: int
    sell_back: SellBack
    expected_value: ExpectedValue
    tiers: tuple[TierExpectation, ...]
    odds: PublishedOdds | None
    lot: PublishedLot | None
    now: PackNow


class _Lasting(msgspec.Struct, frozen=True):
    """What follows from a published version alone; ``odds`` is JSON already, None for a lot."""

    until: float
    faces: Mapping[CardId, CardFace]
    cards_per_pack: int
    expected_value: ExpectedValue
    tiers: tuple[TierExpectation, ...]
    odds: msgspec.Raw | None


class PublishedPacks:
    """Shows packs, and remembers for some seconds what is long to work out and never changes."""

    def __init__(self) -> None:
        self._lasting: dict[PackVersionId, _Lasting] = {}

    async def show(self, house: House, pack: ShelvedPack) -> PublishedPack:
        """What is published about ``pack``; what is left of a lot is read anew."""
        config = pack.config
        lasting = await self._find_lasting(house, pack)
        left = await find_lot_now(house, pack)
        if left is None:
            lot = None
            now = await odds_packs_now.show(house, pack, lasting.faces)
        else:
            lot = _show_lot(pack, left, lasting.faces)
            now = show_lot(pack, left, lasting.faces)
        packs_left = None if lot is None else lot.packs_left
        return PublishedPack(
            slug=pack.slug,
            name=config.name,
            description=config.description,
            kind=config.kind,
            price=config.price,
            config_hash=pack.compiled.config_hash.hex(),
            version=config.number,
            published_at=pack.published_at,
            image_url=None if pack.picture is None else house.media.url_of(pack.picture),
            sold_out=pack.is_sold_out or packs_left == 0,
            packs_left=packs_left,
            cards_per_pack=lasting.cards_per_pack,
            sell_back=config.sell_back,
            expected_value=lasting.expected_value,
            tiers=lasting.tiers,
            # Encoded once, and put into the answer as it is: nobody reads its fields in between.
            odds=cast("PublishedOdds | None", lasting.odds),
            lot=lot,
            now=now,
        )

    async def _find_lasting(self, house: House, pack: ShelvedPack) -> _Lasting:
        now = time.monotonic()
        kept = self._lasting.get(pack.version_id)
        if kept is not None and kept.until > now:
            return kept
        async with house.database.reading() as connection:
            faces = await house.cards.list_faces(connection, pack.card_ids)
        made = _work_out(pack.config, faces, until=now + FACES_SECONDS)
        self._lasting = {key: old for key, old in self._lasting.items() if old.until > now}
        self._lasting[pack.version_id] = made
        return made


def _work_out(config: PackConfig, faces: Mapping[CardId, CardFace], *, until: float) -> _Lasting:
    value = draws.prospect_of(config).expected_value
    counts = draws.expected_count_by_tier(config)
    return _Lasting(
        until=until,
        faces=faces,
        cards_per_pack=draws.cards_in_a_pack(config),
        expected_value=ExpectedValue(
            numerator=value.numerator,
            denominator=value.denominator,
            minor=value.numerator // value.denominator,
        ),
        tiers=tuple(
            TierExpectation(tier, ExactNumber(count.numerator, count.denominator))
            for tier, count in counts.items()
        ),
        odds=None
        if config.lot is not None
        else msgspec.Raw(msgspec.json.encode(_odds(config.layouts, faces))),
    )


def _odds(layouts: tuple[Layout, ...], faces: Mapping[CardId, CardFace]) -> PublishedOdds:
    total = sum(layout.weight for layout in layouts)
    return PublishedOdds(
        layouts=tuple(
            LayoutChances(
                name=layout.name,
                weight=layout.weight,
                of=total,
                slots=tuple(_slot(slot, faces) for slot in layout.slots),
            )
            for layout in layouts
        )
    )


def _slot(slot: Slot, faces: Mapping[CardId, CardFace]) -> SlotChances:
    total = sum(tier.weight for tier in slot.odds)
    return SlotChances(
        name=slot.name,
        count=slot.count,
        tiers=tuple(_tier(tier, faces, of=total) for tier in slot.odds),
    )


def _tier(tier: TierOdds, faces: Mapping[CardId, CardFace], *, of: int) -> TierChances:
    total = sum(card.weight for card in tier.cards)
    return TierChances(
        tier=tier.tier,
        weight=tier.weight,
        of=of,
        cards=tuple(
            CardChances(
                card=faces[card.card],
                weight=card.weight,
                of=total,
                value=card.value,
                is_physical=card.physical,
            )
            for card in tier.cards
        ),
    )


def _show_lot(pack: ShelvedPack, lot: LotNow, faces: Mapping[CardId, CardFace]) -> PublishedLot:
    terms = pack.config.lot
    if terms is None or pack.lot_id is None:
        raise Breach(f"The lot pack {pack.slug} has no lot.")
    drawn = sum(count.listed - count.remaining for count in lot.prizes if not count.is_last_one)
    last_one = next((count for count in lot.prizes if count.is_last_one), None)
    return PublishedLot(
        id=pack.lot_id,
        packs=terms.packs,
        packs_left=terms.packs - drawn // terms.cards_per_pack,
        cards_per_pack=terms.cards_per_pack,
        manifest_root=terms.manifest_root,
        commitment=terms.commitment,
        server_seed=None if lot.server_seed is None else lot.server_seed.hex(),
        prizes=tuple(_prize(count, faces) for count in lot.prizes if not count.is_last_one),
        last_one=None
        if last_one is None
        else LastOnePrize(card=faces[last_one.card_id], tier=last_one.tier, value=last_one.value),
    )


def _prize(count: LotPrizeCount, faces: Mapping[CardId, CardFace]) -> LotPrizeLeft:
    return LotPrizeLeft(
        card=faces[count.card_id],
        tier=count.tier,
        value=count.value,
        count=count.listed,
        remaining=count.remaining,
    )
