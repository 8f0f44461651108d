"""What an import is to do: pure, from what the file says and what the catalogue has already."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from packhouse.catalog.import_file import ImportFile
from packhouse.catalog.model import (
    WEIGHT_GRAMS_DEFAULT,
    Card,
    CardKey,
    CardPlan,
    CardRow,
    CopyKey,
    CopyPlan,
    ImportLine,
    Place,
)
from packhouse.catalog.records import ProblemList
from packhouse.foundation.identifiers import CardId
from packhouse.foundation.money import format_minor

_CHANGEABLE: Final = ("set_name", "name", "tier", "value", "weight_grams", "flavour", "picture")

_SHOWN: Final[Mapping[str, str]] = {"picture": "a new picture", "flavour": "a new flavour text"}
"""Changes whose old and new value would tell a reader little."""


class ImportPlan(msgspec.Struct):
    """Every card and every row of copies, each with what is to happen to it."""

    cards: list[CardPlan]
    copies: list[CopyPlan]

    def new_cards(self) -> list[Card]:
        """Cards to add."""
        return [plan.card for plan in self.cards if plan.changes is None]

    def changed_cards(self) -> list[Card]:
        """Existing cards to give new facts."""
        return [plan.card for plan in self.cards if plan.changes]

    def new_copies(self) -> list[CopyPlan]:
        """Rows whose copies are to be added."""
        return [plan for plan in self.copies if plan.known_place is None]


def plan_import(
    file: ImportFile,
    problems: ProblemList,
    *,
    known_cards: Mapping[CardKey, Card],
    known_certificates: Mapping[CopyKey, Place],
    pictures: Mapping[str, str],
    make_id: Callable[[], UUID],
) -> ImportPlan:
    """Plan the import; ``pictures`` has the media key of each file name that could be read.

    An empty cell leaves what is there, or takes the default of a new card.
    """
    cards: dict[CardKey, CardPlan] = {}
    for key, row in file.cards.items():
        known = known_cards.get(key)
        picture = None if row.picture is None else pictures.get(row.picture)
        if known is None:
            card = _new_card(row, picture=picture, card_id=CardId(make_id()))
            cards[key] = CardPlan(line=row.line, card=card, changes=None)
        else:
            _note_changed_kind(row, known, problems)
            cards[key] = _change_card(row, known, picture=picture)
    copies = []
    for copy in file.copies:
        card = cards[copy.key].card
        if card.kind == "digital":
            problems.add(
                copy.line,
                "quantity",
                str(copy.quantity),
                "a digital card is unlimited and has no copies; leave the stock columns empty",
            )
        known_place = (
            None
            if copy.certificate is None
            else known_certificates.get((copy.key, copy.certificate))
        )
        photo = None if copy.photo is None else pictures.get(copy.photo)
        copies.append(CopyPlan(row=copy, card=card, photo=photo, known_place=known_place))
    return ImportPlan(cards=list(cards.values()), copies=copies)


def list_lines(plan: ImportPlan) -> Iterator[ImportLine]:
    """What each line does, in the order of the file."""
    return heapq.merge(
        map(_card_line, sorted(plan.cards, key=lambda card: card.line)),
        map(_copy_line, plan.copies),
        key=lambda line: line.line,
    )


def _new_card(row: CardRow, *, picture: str | None, card_id: CardId) -> Card:
    kind = row.kind or "physical"
    default_grams = WEIGHT_GRAMS_DEFAULT if kind == "physical" else 0
    return Card(
        id=card_id,
        set_code=row.set_code,
        set_name=row.set_name,
        number=row.number,
        name=row.name,
        tier=row.tier,
        value=row.value,
        kind=kind,
        weight_grams=default_grams if row.weight_grams is None else row.weight_grams,
        flavour=row.flavour or "",
        picture=picture,
    )


def _note_changed_kind(row: CardRow, known: Card, problems: ProblemList) -> None:
    if row.kind not in {None, known.kind}:
        problems.add(
            row.line,
            "kind",
            str(row.kind),
            f"the card is {known.kind} for good, because people may own it; give a new card"
            " another number",
        )


def _change_card(row: CardRow, known: Card, *, picture: str | None) -> CardPlan:
    told = {name: getattr(row, name) for name in _CHANGEABLE} | {"picture": picture}
    new: dict[str, Any] = {
        name: value
        for name, value in told.items()
        if value is not None and value != getattr(known, name)
    }
    changes = tuple(_change_in_words(name, known, value) for name, value in new.items())
    card = msgspec.structs.replace(known, **new) if new else known
    return CardPlan(line=row.line, card=card, changes=changes)


def _change_in_words(name: str, known: Card, value: Any) -> str:  # noqa: ANN401 - any card field
    if name in _SHOWN:
        return _SHOWN[name]
    if name == "value":
        return f"value {format_minor(known.value)} → {format_minor(value)}"
    return f"{name} {getattr(known, name)} → {value}"


def _card_line(plan: CardPlan) -> ImportLine:
    card = plan.card
    name = f"{card.set_code} {card.number} {card.name}"
    if plan.changes is None:
        return ImportLine(plan.line, "add_card", f"{name}: new {card.kind} card, tier {card.tier}")
    if plan.changes:
        return ImportLine(plan.line, "change_card", f"{name}: {', '.join(plan.changes)}")
    return ImportLine(plan.line, "keep_card", f"{name}: as it is")


def _copy_line(plan: CopyPlan) -> ImportLine:
    row = plan.row
    name = f"{row.key[0]} {row.key[1]}"
    if plan.known_place is not None:
        text = f"{name}: certificate {row.certificate} is here already ({plan.known_place})"
        return ImportLine(row.line, "keep_copy", text)
    copies = "1 copy" if row.quantity == 1 else f"{row.quantity:,} copies"
    place = "on sale" if row.place == "on_sale" else "in the house"
    return ImportLine(row.line, "add_copies", f"{name}: {copies} {place}")
