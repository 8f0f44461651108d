"""The pack editor's form: a draft as fields to fill, and fields as a draft. Pure.

Rows of slots and layouts are numbered in the names of their fields. A row that is left empty does
not count, so a row is taken away by emptying it, and no script is needed.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from packhouse.draws import (
    DraftLayout,
    DraftLot,
    DraftPrize,
    DraftSlot,
    DraftTier,
    PackDraft,
)
from packhouse.foundation.errors import FieldError
from packhouse.foundation.limits import (
    CARDS_PER_PACK_MAX,
    LOT_PACKS_MAX,
    ODDS_WEIGHT_MAX,
    PACK_PRICE_MAX_MINOR,
)
from packhouse.foundation.money import BASIS_POINTS
from packhouse.foundation.tiers import TIERS
from packhouse.web.operator.forms import Form

LAYOUTS_MAX: Final = 20
SLOTS_MAX: Final = 20
PRIZE_LINES_MAX: Final = 2_000
WINDOW_DAYS_MAX: Final = 3_650
SPARE_SLOTS: Final = 1
"""Empty rows that are always there to be filled."""

_PRIZE: Final = re.compile(r"(\S+)(?:\s*[x×*]\s*([0-9]{1,6}))?", re.IGNORECASE)


class SlotFields(msgspec.Struct):
    """One row of a layout, as typed; ``weights`` in the order of the tiers, weakest first."""

    name: str = ""
    count: str = "1"
    weights: tuple[str, ...] = ("",) * len(TIERS)

    @property
    def is_empty(self) -> bool:
        """Whether the row says nothing."""
        return not self.name.strip() and not any(weight.strip() for weight in self.weights)


class LayoutFields(msgspec.Struct):
    """One layout, as typed."""

    name: str = ""
    weight: str = "1"
    slots: tuple[SlotFields, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the layout says nothing."""
        return all(slot.is_empty for slot in self.slots)


class PackFields(msgspec.Struct):
    """The whole editor, as typed."""

    slug: str = ""
    name: str = ""
    description: str = ""
    price: str = ""
    sell_back_rate: str = "80"
    sell_back_window_days: str = "7"
    kind: str = "odds"
    position: str = "0"
    sets: tuple[str, ...] = ()
    layouts: tuple[LayoutFields, ...] = ()
    lot_packs: str = ""
    lot_cards_per_pack: str = "1"
    lot_prizes: str = ""
    lot_last_one: str = ""


def blank_fields() -> PackFields:
    """The editor for a pack that is not there yet."""
    return PackFields(layouts=(LayoutFields(name="Standard", slots=(SlotFields(name="Card"),)),))


def fields_of(draft: PackDraft, *, slug: str, position: int) -> PackFields:
    """A draft in the editor; only for drafts that ``fits_the_table``."""
    lot = draft.lot
    return PackFields(
        slug=slug,
        name=draft.name,
        description=draft.description,
        price=_hundredths(draft.price),
        sell_back_rate=_hundredths(draft.sell_back_rate_basis_points).removesuffix(".00"),
        sell_back_window_days=str(draft.sell_back_window_days),
        kind=draft.kind,
        position=str(position),
        sets=draft.sets,
        layouts=tuple(_layout_fields(layout) for layout in draft.layouts),
        lot_packs="" if lot is None else str(lot.packs),
        lot_cards_per_pack="1" if lot is None else str(lot.cards_per_pack),
        lot_prizes=""
        if lot is None
        else "\n".join(f"{prize.card} x{prize.count}" for prize in lot.prizes),
        lot_last_one="" if lot is None or lot.last_one is None else lot.last_one,
    )


def fits_the_table(draft: PackDraft) -> bool:
    """Whether every tier means all its cards: the table has no place for single cards' weights."""
    return all(
        tier.cards is None
        for layout in draft.layouts
        for slot in layout.slots
        for tier in slot.odds
    )


def read_fields(form: Form) -> PackFields:
    """The editor as it was sent, nothing judged yet."""
    layouts = []
    for i in range(LAYOUTS_MAX):
        if f"layout-{i}-name" not in form:
            continue
        slots = [
            SlotFields(
                name=form.shown(f"slot-{i}-{j}-name"),
                count=form.shown(f"slot-{i}-{j}-count"),
                weights=tuple(form.shown(f"slot-{i}-{j}-{tier}") for tier in TIERS),
            )
            for j in range(SLOTS_MAX)
            if f"slot-{i}-{j}-name" in form
        ]
        layouts.append(
            LayoutFields(
                name=form.shown(f"layout-{i}-name"),
                weight=form.shown(f"layout-{i}-weight"),
                slots=tuple(slots),
            )
        )
    plain = {
        name: form.shown(name)
        for name in PackFields.__struct_fields__
        if name not in {"sets", "layouts"}
    }
    return PackFields(**plain, sets=tuple(form.all("sets")), layouts=tuple(layouts))


def draft_of(form: Form, fields: PackFields) -> PackDraft | None:
    """The draft that the fields say; None with problems noted at the fields."""
    name = form.text("name", length_max=80, is_required=True)
    description = form.text("description", length_max=600)
    price = form.hundredths("price", minimum=1, maximum=PACK_PRICE_MAX_MINOR)
    rate = form.hundredths("sell_back_rate", minimum=0, maximum=BASIS_POINTS)
    days = form.whole("sell_back_window_days", minimum=0, maximum=WINDOW_DAYS_MAX)
    kind = form.choice("kind", ("odds", "lot"))
    layouts = _read_layouts(form, fields) if kind == "odds" else ()
    lot = _read_lot(form) if kind == "lot" else None
    if form.problems:
        return None
    return PackDraft(
        name=name,
        kind="lot" if kind == "lot" else "odds",
        price=price,
        sell_back_rate_basis_points=rate,
        sell_back_window_days=days,
        description=description,
        sets=fields.sets,
        layouts=layouts,
        lot=lot,
    )


def place_in_words(error: FieldError) -> str:
    """Where in the editor a problem of a draft is: ``layouts[0].slots[1].odds[2]`` for people."""
    words = [
        f"{word} {int(number) + 1}"
        for name, word in (("layouts", "layout"), ("slots", "slot"), ("prizes", "prize line"))
        for number in re.findall(rf"\b{name}\[(\d+)\]", error.field)
    ]
    place = ", ".join(words) or error.field.replace("_", " ").replace(".", ", ")
    return place[:1].upper() + place[1:]


def _layout_fields(layout: DraftLayout) -> LayoutFields:
    return LayoutFields(
        name=layout.name,
        weight=str(layout.weight),
        slots=tuple(
            SlotFields(
                name=slot.name,
                count=str(slot.count),
                weights=tuple(
                    next((str(tier.weight) for tier in slot.odds if tier.tier == wanted), "")
                    for wanted in TIERS
                ),
            )
            for slot in layout.slots
        ),
    )


def _read_layouts(form: Form, fields: PackFields) -> tuple[DraftLayout, ...]:
    layouts = []
    for i, layout in enumerate(fields.layouts):
        if layout.is_empty:
            continue
        layouts.append(
            DraftLayout(
                name=form.text(f"layout-{i}-name", length_max=80) or f"Layout {i + 1}",
                weight=form.whole(f"layout-{i}-weight", minimum=1, maximum=ODDS_WEIGHT_MAX),
                slots=_read_slots(form, i, layout.slots),
            )
        )
    if not layouts:
        form.add_problem("slot-0-0-name", "Fill at least one row: a name, and a tier's weight.")
    return tuple(layouts)


def _read_slots(form: Form, i: int, slots: Sequence[SlotFields]) -> tuple[DraftSlot, ...]:
    read = []
    for j, slot in enumerate(slots):
        if slot.is_empty:
            continue
        prefix = f"slot-{i}-{j}"
        odds = [
            DraftTier(tier, form.whole(f"{prefix}-{tier}", minimum=1, maximum=ODDS_WEIGHT_MAX))
            for tier, weight in zip(TIERS, slot.weights, strict=True)
            if weight.strip() not in {"", "0"}
        ]
        if not odds:
            form.add_problem(f"{prefix}-name", "Give at least one tier a weight in this row.")
            continue
        read.append(
            DraftSlot(
                name=form.text(f"{prefix}-name", length_max=80) or f"Slot {j + 1}",
                count=form.whole(f"{prefix}-count", minimum=1, maximum=CARDS_PER_PACK_MAX),
                odds=tuple(odds),
            )
        )
    return tuple(read)


def _read_lot(form: Form) -> DraftLot | None:
    packs = form.whole("lot_packs", minimum=1, maximum=LOT_PACKS_MAX)
    size = form.whole("lot_cards_per_pack", minimum=1, maximum=CARDS_PER_PACK_MAX)
    prizes = []
    lines = [line.strip() for line in form.shown("lot_prizes").split("\n")]
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        match = _PRIZE.fullmatch(line)
        count = 1 if match is None else int(match[2] or "1")
        if match is None or not 3 <= len(match[1]) <= 80 or not 1 <= count <= LOT_PACKS_MAX:
            form.add_problem(
                "lot_prizes", f"Line {number}: write a card and how many, like VEIL-012 x3."
            )
            continue
        prizes.append(DraftPrize(card=match[1], count=count))
    if not prizes:
        form.add_problem("lot_prizes", "List the prizes, one card a line, like VEIL-012 x3.")
    if len(prizes) > PRIZE_LINES_MAX:
        form.add_problem("lot_prizes", f"At most {PRIZE_LINES_MAX:,} lines.")
    last_one = form.text("lot_last_one", length_max=80)
    if form.problems:
        return None
    return DraftLot(
        packs=packs, cards_per_pack=size, prizes=tuple(prizes), last_one=last_one or None
    )


def _hundredths(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"
