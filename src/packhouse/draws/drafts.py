"""Drafts: how an operator writes a pack, and how it becomes a configuration that can be published.

A draft names cards by their code (``VEIL-012``: set code, hyphen, number). A tier without a list
of cards means every card of that tier in the draft's sets, each as likely as the others.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec

from packhouse.draws.model import (
    CardOdds,
    Layout,
    LotPrize,
    LotTerms,
    PackConfig,
    PackKind,
    SellBack,
    Slot,
    TierOdds,
)
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.limits import (
    CARDS_PER_PACK_MAX,
    LOT_PACKS_MAX,
    ODDS_WEIGHT_MAX,
    ODDS_WEIGHTS_SUM_MAX,
    PACK_PRICE_MAX_MINOR,
)
from packhouse.foundation.money import BASIS_POINTS
from packhouse.foundation.tiers import TIER_RANKS, Tier

SECONDS_A_DAY = 86_400

Weight = Annotated[int, msgspec.Meta(ge=1, le=ODDS_WEIGHT_MAX)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
CardCode = Annotated[str, msgspec.Meta(min_length=3, max_length=80)]


class DraftCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card of a tier, by its code, with its weight against the tier's other cards."""

    card: CardCode
    weight: Weight = 1


class DraftTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tier's weight in a slot; without ``cards`` it is every card of the tier."""

    tier: Tier
    weight: Weight
    cards: tuple[DraftCard, ...] | None = None


class DraftSlot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` cards drawn by one table."""

    name: Name
    odds: Annotated[tuple[DraftTier, ...], msgspec.Meta(min_length=1, max_length=7)]
    count: Annotated[int, msgspec.Meta(ge=1, le=CARDS_PER_PACK_MAX)] = 1


class DraftLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to make up the pack."""

    name: Name
    slots: Annotated[tuple[DraftSlot, ...], msgspec.Meta(min_length=1, max_length=20)]
    weight: Weight = 1


class DraftPrize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` copies of a card in a lot."""

    card: CardCode
    count: Annotated[int, msgspec.Meta(ge=1, le=LOT_PACKS_MAX)] = 1


class DraftLot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finite lot's prize list; the counts add up to packs times cards in a pack."""

    packs: Annotated[int, msgspec.Meta(ge=1, le=LOT_PACKS_MAX)]
    prizes: Annotated[tuple[DraftPrize, ...], msgspec.Meta(min_length=1, max_length=2_000)]
    cards_per_pack: Annotated[int, msgspec.Meta(ge=1, le=CARDS_PER_PACK_MAX)] = 1
    last_one: CardCode | None = None


class PackDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pack as its operator writes it. Money in minor units, rates in basis points."""

    name: Name
    kind: PackKind
    price: Annotated[int, msgspec.Meta(ge=1, le=PACK_PRICE_MAX_MINOR)]
    sell_back_rate_basis_points: Annotated[int, msgspec.Meta(ge=0, le=BASIS_POINTS)]
    sell_back_window_days: Annotated[int, msgspec.Meta(ge=0, le=3650)]
    description: Annotated[str, msgspec.Meta(max_length=600)] = ""
    sets: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    layouts: Annotated[tuple[DraftLayout, ...], msgspec.Meta(max_length=20)] = ()
    lot: DraftLot | None = None


class CardFact(msgspec.Struct, frozen=True):
    """What composing needs to know of a card."""

    id: CardId
    set_code: str
    number: str
    tier: Tier
    value: int
    physical: bool

    @property
    def code(self) -> str:
        """``VEIL-012``."""
        return f"{self.set_code}-{self.number}"


class _Cards:
    """The catalogue, by code and by tier, with the problems found while looking cards up."""

    def __init__(self, facts: Sequence[CardFact], sets: Sequence[str]) -> None:
        self._by_code: Mapping[str, CardFact] = {fact.code: fact for fact in facts}
        self._sets = frozenset(sets)
        self._facts = facts
        self.errors: list[FieldError] = []

    def find(self, code: str, *, field: str) -> CardFact | None:
        fact = self._by_code.get(code)
        if fact is None:
            self.errors.append(FieldError(field, f"There is no card {code} in the catalogue."))
        return fact

    def of_tier(self, tier: Tier, *, field: str) -> list[CardFact]:
        found = [f for f in self._facts if f.tier == tier and f.set_code in self._sets]
        if not found:
            self.errors.append(
                FieldError(field, f"No card of tier {tier} in {_list_sets(self._sets)}.")
            )
        return found

    def note_inexact_sum(self, weights: Iterable[int], *, field: str) -> None:
        # Verifiers in JavaScript count in doubles, which are exact up to here.
        if (total := sum(weights)) > ODDS_WEIGHTS_SUM_MAX:
            self.errors.append(
                FieldError(
                    field,
                    f"The weights of this list add up to {total:,}; {ODDS_WEIGHTS_SUM_MAX:,} is the"
                    " most. Divide all of them by the same number.",
                )
            )


def compose_odds(
    draft: PackDraft, *, slug: str, number: int, facts: Sequence[CardFact]
) -> PackConfig:
    """The configuration of an odds pack. Raises ``InvalidInput`` with every problem found."""
    cards = _Cards(facts, draft.sets)
    if draft.lot is not None:
        cards.errors.append(FieldError("lot", "An odds pack has layouts and no lot."))
    if not draft.layouts:
        cards.errors.append(FieldError("layouts", "An odds pack needs at least one layout."))
    cards.note_inexact_sum((layout.weight for layout in draft.layouts), field="layouts")
    layouts = tuple(
        Layout(
            name=layout.name,
            weight=layout.weight,
            slots=tuple(
                _compose_slot(slot, cards, f"layouts[{i}].slots[{j}]")
                for j, slot in enumerate(layout.slots)
            ),
        )
        for i, layout in enumerate(draft.layouts)
    )
    for i, layout in enumerate(draft.layouts):
        count = sum(slot.count for slot in layout.slots)
        if count > CARDS_PER_PACK_MAX:
            cards.errors.append(
                FieldError(
                    f"layouts[{i}]", f"{count} cards; a pack has at most {CARDS_PER_PACK_MAX}."
                )
            )
    if cards.errors:
        raise _cannot_be_composed(cards.errors)
    return _compose(draft, slug=slug, number=number, layouts=layouts, lot=None)


def compose_lot_prizes(
    draft: PackDraft, *, facts: Sequence[CardFact]
) -> tuple[tuple[LotPrize, ...], LotPrize | None]:
    """The prize list of a lot and its last-one prize. Raises ``InvalidInput``."""
    cards = _Cards(facts, draft.sets)
    if draft.layouts:
        cards.errors.append(FieldError("layouts", "A lot has a prize list and no layouts."))
    if draft.lot is None:
        cards.errors.append(FieldError("lot", "A lot needs its prize list."))
        raise _cannot_be_composed(cards.errors)
    wanted = draft.lot.packs * draft.lot.cards_per_pack
    listed = sum(prize.count for prize in draft.lot.prizes)
    if wanted != listed:
        cards.errors.append(
            FieldError(
                "lot.prizes",
                f"{draft.lot.packs} packs of {draft.lot.cards_per_pack} need {wanted} prizes;"
                f" the list has {listed}.",
            )
        )
    prizes = tuple(
        _prize(fact, prize.count)
        for i, prize in enumerate(draft.lot.prizes)
        if (fact := cards.find(prize.card, field=f"lot.prizes[{i}].card")) is not None
    )
    last_one = None
    if draft.lot.last_one is not None:
        fact = cards.find(draft.lot.last_one, field="lot.last_one")
        last_one = None if fact is None else _prize(fact, 1)
    if cards.errors:
        raise _cannot_be_composed(cards.errors)
    return prizes, last_one


def compose_lot(draft: PackDraft, *, slug: str, number: int, terms: LotTerms) -> PackConfig:
    """The configuration of a lot whose manifest is made."""
    return _compose(draft, slug=slug, number=number, layouts=(), lot=terms)


def _compose(
    draft: PackDraft, *, slug: str, number: int, layouts: tuple[Layout, ...], lot: LotTerms | None
) -> PackConfig:
    return PackConfig(
        format="packhouse.pack/1",
        slug=slug,
        number=number,
        name=draft.name,
        description=draft.description,
        kind=draft.kind,
        price=draft.price,
        sell_back=SellBack(
            rate_basis_points=draft.sell_back_rate_basis_points,
            window_seconds=draft.sell_back_window_days * SECONDS_A_DAY,
        ),
        out_of_stock="pay_locked_value",
        layouts=layouts,
        lot=lot,
    )


def _compose_slot(slot: DraftSlot, cards: _Cards, field: str) -> Slot:
    tiers = [tier.tier for tier in slot.odds]
    if len(set(tiers)) != len(tiers):
        cards.errors.append(FieldError(f"{field}.odds", "Each tier may stand once in a slot."))
    cards.note_inexact_sum((tier.weight for tier in slot.odds), field=f"{field}.odds")
    ordered = sorted(enumerate(slot.odds), key=lambda entry: TIER_RANKS[entry[1].tier])
    return Slot(
        name=slot.name,
        count=slot.count,
        odds=tuple(
            TierOdds(
                tier=tier.tier,
                weight=tier.weight,
                cards=_compose_tier(tier, cards, f"{field}.odds[{i}]"),
            )
            for i, tier in ordered
        ),
    )


def _compose_tier(tier: DraftTier, cards: _Cards, field: str) -> tuple[CardOdds, ...]:
    if tier.cards is None:
        weighted = [(fact, 1) for fact in cards.of_tier(tier.tier, field=field)]
    else:
        weighted = []
        for i, listed in enumerate(tier.cards):
            fact = cards.find(listed.card, field=f"{field}.cards[{i}].card")
            if fact is None:
                continue
            if fact.tier != tier.tier:
                cards.errors.append(
                    FieldError(
                        f"{field}.cards[{i}].card",
                        f"{fact.code} is of tier {fact.tier}, not {tier.tier}.",
                    )
                )
            weighted.append((fact, listed.weight))
        if len({fact.id for fact, _ in weighted}) != len(weighted):
            cards.errors.append(FieldError(f"{field}.cards", "Each card may stand once in a tier."))
        cards.note_inexact_sum((weight for _, weight in weighted), field=f"{field}.cards")
        if not tier.cards:
            cards.errors.append(FieldError(f"{field}.cards", "List a card, or leave the list out."))
    return tuple(
        CardOdds(card=fact.id, weight=weight, value=fact.value, physical=fact.physical)
        for fact, weight in weighted
    )


def _list_sets(sets: frozenset[str]) -> str:
    if not sets:
        return "any set: choose the pack's sets first"
    return ("the set " if len(sets) == 1 else "the sets ") + ", ".join(sorted(sets))


def _prize(fact: CardFact, count: int) -> LotPrize:
    return LotPrize(
        card=fact.id, tier=fact.tier, value=fact.value, physical=fact.physical, count=count
    )


def _cannot_be_composed(errors: Sequence[FieldError]) -> InvalidInput:
    return InvalidInput("This pack cannot be composed as it is written.", errors)
