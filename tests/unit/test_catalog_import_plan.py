"""What an import decides to do."""

from itertools import count
from uuid import UUID

import msgspec
import pytest

from packhouse.catalog import (
    Card,
    ImportPlan,
    Place,
    ProblemList,
    list_lines,
    plan_import,
    read_import_file,
)
from packhouse.foundation.identifiers import CardId

HEADER = "set_code,set_name,number,name,tier,value,kind,weight_grams,flavour,picture"
STOCK = "quantity,place,certificate,photo"
MOTH = "EMB,Ember Hollow,001,Moth at the Bellows,D,0.50"

KNOWN_MOTH = Card(
    id=CardId(UUID(int=77)),
    set_code="EMB",
    set_name="Ember Hollow",
    number="001",
    name="Moth at the Bellows",
    tier="D",
    value=50,
    kind="physical",
    weight_grams=3,
    flavour="It came for the light.",
    picture="old",
)


def plan(
    *rows: str,
    known: Card | None = None,
    certificates: dict[str, Place] | None = None,
    pictures: dict[str, str] | None = None,
) -> tuple[ImportPlan, ProblemList]:
    problems = ProblemList()
    content = "\n".join([f"{HEADER},{STOCK}", *rows]).encode()
    file = read_import_file(content, problems, progress=lambda *_: None)
    numbers = count(1)
    planned = plan_import(
        file,
        problems,
        known_cards={} if known is None else {("EMB", "001"): known},
        known_certificates={
            (("EMB", "001"), name): place for name, place in (certificates or {}).items()
        },
        pictures=pictures or {},
        make_id=lambda: UUID(int=next(numbers)),
    )
    return planned, problems


def test_a_new_card_takes_the_defaults_for_what_the_file_leaves_out() -> None:
    planned, problems = plan(f"{MOTH},,,,,,,,")
    (card,) = planned.new_cards()
    assert (card.kind, card.weight_grams, card.flavour, card.picture) == ("physical", 2, "", None)
    assert not problems.count


def test_a_digital_card_weighs_nothing() -> None:
    assert plan(f"{MOTH},digital,,,,,,,")[0].new_cards()[0].weight_grams == 0


def test_an_empty_cell_leaves_an_existing_card_as_it_is() -> None:
    planned, _ = plan(f"{MOTH},,,,,,,,", known=KNOWN_MOTH)
    assert not planned.new_cards()
    assert not planned.changed_cards()


def test_a_card_that_differs_is_changed_and_the_line_says_how() -> None:
    row = f"{MOTH},,,,moth.png,,,,".replace("0.50", "0.75").replace(",D,", ",C,")
    planned, _ = plan(row, known=KNOWN_MOTH, pictures={"moth.png": "new"})
    (card,) = planned.changed_cards()
    assert card == msgspec.structs.replace(KNOWN_MOTH, tier="C", value=75, picture="new")
    (line,) = list_lines(planned)
    assert line.text == (
        "EMB 001 Moth at the Bellows: tier D → C, value 0.50 → 0.75, a new picture"
    )


def test_a_kind_never_changes() -> None:
    _, problems = plan(f"{MOTH},digital,,,,,,,", known=KNOWN_MOTH)
    assert [(problem.line, problem.column) for problem in problems.shown()] == [(2, "kind")]


@pytest.mark.parametrize("known_kind", [None, "digital"])
def test_a_digital_card_has_no_copies(known_kind: str | None) -> None:
    known = None if known_kind is None else msgspec.structs.replace(KNOWN_MOTH, kind=known_kind)
    kind = "" if known else "digital"
    _, problems = plan(f"{MOTH},{kind},,,,2,,,", known=known)
    assert [(problem.line, problem.column) for problem in problems.shown()] == [(2, "quantity")]


def test_a_known_certificate_adds_nothing_and_the_line_says_where_it_is() -> None:
    row = f"{MOTH},,,,,,,EH-1,"
    planned, _ = plan(row, known=KNOWN_MOTH, certificates={"EH-1": "vaulted"})
    assert not planned.new_copies()
    *_, line = list_lines(planned)
    assert (line.action, line.text) == (
        "keep_copy",
        "EMB 001: certificate EH-1 is here already (vaulted)",
    )


def test_lines_come_in_the_order_of_the_file() -> None:
    planned, _ = plan(
        f"{MOTH},,,,,1,,,", f"{MOTH.replace('001', '002')},,,,,2,on_sale,,", f"{MOTH},,,,,3,,,"
    )
    assert [(line.line, line.action) for line in list_lines(planned)] == [
        (2, "add_card"),
        (2, "add_copies"),
        (3, "add_card"),
        (3, "add_copies"),
        (4, "add_copies"),
    ]


def test_the_same_file_plans_the_same() -> None:
    rows = (f"{MOTH},,,,,1,,,", f"{MOTH.replace('001', '002')},,,,,,,,")
    assert plan(*rows)[0] == plan(*rows)[0]
