"""A published configuration as a file: its hash, its one spelling, and what it may say."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Annotated, Literal, TypeAlias

import msgspec

from packhouse.verify.findings import Differs
from packhouse.verify.plain_json import NUMBER_MAX, canonical_bytes, parse_plain_json
from packhouse.verify.shapes import Count, Hash, Id, Slug, Tier, WholeNumber, take_shape

NAME = "the configuration"
BASIS_POINTS = 10_000


class WeightedCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card and its weight within its tier."""

    card: Id
    weight: Count
    value: WholeNumber
    physical: bool


class WeightedTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tier and its weight within its slot."""

    tier: Tier
    weight: Count
    cards: Annotated[tuple[WeightedCard, ...], msgspec.Meta(min_length=1)]


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` cards, each drawn by these odds."""

    name: str
    count: Count
    odds: Annotated[tuple[WeightedTier, ...], msgspec.Meta(min_length=1)]


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to make up the pack."""

    name: str
    weight: Count
    slots: Annotated[tuple[Slot, ...], msgspec.Meta(min_length=1)]


class Prize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``count`` copies of a card in a lot."""

    card: Id
    tier: Tier
    value: WholeNumber
    physical: bool
    count: Count


class Lot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terms of a lot."""

    packs: Count
    cards_per_pack: Count
    prizes: Annotated[tuple[Prize, ...], msgspec.Meta(min_length=1)]
    last_one: Prize | None
    manifest_root: Hash
    commitment: Hash

    @property
    def size(self) -> int:
        """How many draws there are, the last-one prize not being one."""
        return self.packs * self.cards_per_pack


class SellBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the shop pays for a card, and for how long."""

    rate_basis_points: Annotated[int, msgspec.Meta(ge=0, le=BASIS_POINTS)]
    window_seconds: WholeNumber


class OddsTerms(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="odds"
):
    """The configuration of an odds pack."""

    format: Literal["packhouse.pack/1"]
    slug: Slug
    number: Count
    name: str
    description: str
    price: WholeNumber
    sell_back: SellBack
    out_of_stock: Literal["pay_locked_value"]
    layouts: Annotated[tuple[Layout, ...], msgspec.Meta(min_length=1)]
    lot: None


class LotTerms(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lot"
):
    """The configuration of a finite lot."""

    format: Literal["packhouse.pack/1"]
    slug: Slug
    number: Count
    name: str
    description: str
    price: WholeNumber
    sell_back: SellBack
    out_of_stock: Literal["pay_locked_value"]
    layouts: Annotated[tuple[Layout, ...], msgspec.Meta(max_length=0)]
    lot: Lot


Terms: TypeAlias = OddsTerms | LotTerms


class Chooser(msgspec.Struct, frozen=True):
    """Running sums of weights: the k-th choice owns the numbers below its sum and not before."""

    sums: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many numbers there are."""
        return self.sums[-1]

    def choose(self, number: int) -> int:
        """Which choice owns ``number``, counted from 0."""
        return bisect_right(self.sums, number)


class Table(msgspec.Struct, frozen=True):
    """A slot with its running sums."""

    slot: Slot
    tiers: Chooser
    cards: tuple[Chooser, ...]


class PublishedConfig(msgspec.Struct, frozen=True):
    """A configuration that was read and found in order; ``tables`` has one entry for each card."""

    config_hash: str
    terms: Terms
    layouts: Chooser | None
    tables: tuple[tuple[Table, ...], ...]


def read_config(content: bytes, *, config_hash: str) -> PublishedConfig:
    """The configuration that hashes to ``config_hash`` (hexadecimal). Raises ``Differs``."""
    found = hashlib.sha256(content).hexdigest()
    if found != config_hash:
        raise Differs(f"{NAME} (SHA-256)", expected=config_hash, found=found)
    tree = parse_plain_json(content, name=NAME)
    shape: type[Terms] = OddsTerms | LotTerms  # type: ignore[assignment] # a union is no type
    terms = take_shape(tree, shape, name=NAME)
    if canonical_bytes(tree) != content:
        raise Differs(
            NAME, expected="RFC 8785 canonical JSON", found="the same in another spelling"
        )
    for field, expected, wrong in _complaints(terms):
        raise Differs(f"{NAME} {field}", expected=expected, found=wrong)
    layouts = terms.layouts
    return PublishedConfig(
        config_hash=config_hash,
        terms=terms,
        layouts=_chooser([layout.weight for layout in layouts]) if layouts else None,
        tables=tuple(tuple(_tables(layout)) for layout in layouts),
    )


def _complaints(terms: Terms) -> Iterator[tuple[str, str, str]]:
    """What a form alone cannot say: (field, expected, found)."""
    if isinstance(terms, LotTerms):
        listed = sum(prize.count for prize in terms.lot.prizes)
        if listed != terms.lot.size:
            yield "lot.prizes", f"{terms.lot.size} prizes, one for each draw", str(listed)
        if terms.lot.last_one is not None and terms.lot.last_one.count != 1:
            yield "lot.last_one.count", "1", str(terms.lot.last_one.count)
    yield from _too_heavy("layouts", [layout.weight for layout in terms.layouts])
    for i, layout in enumerate(terms.layouts):
        for j, slot in enumerate(layout.slots):
            field = f"layouts[{i}].slots[{j}].odds"
            yield from _repeated(field, [tier.tier for tier in slot.odds])
            yield from _too_heavy(field, [tier.weight for tier in slot.odds])
            for k, tier in enumerate(slot.odds):
                yield from _repeated(f"{field}[{k}].cards", [card.card for card in tier.cards])
                yield from _too_heavy(f"{field}[{k}].cards", [card.weight for card in tier.cards])


def _repeated(field: str, names: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    if len(set(names)) < len(names):
        yield field, "each at most once", ", ".join(names)


def _too_heavy(field: str, weights: Sequence[int]) -> Iterator[tuple[str, str, str]]:
    if sum(weights) > NUMBER_MAX:
        yield field, "weights that add up to less than 2^53", str(sum(weights))


def _tables(layout: Layout) -> Iterator[Table]:
    for slot in layout.slots:
        table = Table(
            slot=slot,
            tiers=_chooser([tier.weight for tier in slot.odds]),
            cards=tuple(_chooser([card.weight for card in tier.cards]) for tier in slot.odds),
        )
        for _ in range(slot.count):
            yield table


def _chooser(weights: Sequence[int]) -> Chooser:
    return Chooser(tuple(accumulate(weights)))
