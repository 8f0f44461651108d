"""What an import file may look like, and what is said about one that does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.catalog import COLUMNS, ImportFile, ImportProblem, ProblemList, read_import_file
from packhouse.foundation import limits

HEADER = "set_code,set_name,number,name,tier,value"
ROW = "EMB,Ember Hollow,001,Moth at the Bellows,D,0.50"


def read(content: str | bytes) -> tuple[ImportFile, list[ImportProblem]]:
    problems = ProblemList()
    raw = content.encode() if isinstance(content, str) else content
    file = read_import_file(raw, problems, progress=lambda *_: None)
    return file, problems.shown()


def problems_of(content: str | bytes) -> list[tuple[int, str]]:
    return [(problem.line, problem.column) for problem in read(content)[1]]


def with_cells(**cells: str) -> str:
    return f"{HEADER},{','.join(cells)}\n{ROW},{','.join(cells.values())}\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_decides_the_delimiter(delimiter: str) -> None:
    file, problems = read(f"{HEADER}\n{ROW}\n".replace(",", delimiter))
    assert not problems
    assert file.cards["EMB", "001"].name == "Moth at the Bellows"


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_no_trouble() -> None:
    file, problems = read(f"\ufeff{HEADER}\r\n\r\n{ROW}\r\n\r\n")
    assert not problems
    assert file.cards["EMB", "001"].line == 3


def test_quotes_may_hold_delimiters_and_quotes() -> None:
    file, _ = read(f'{HEADER}\nEMB,Ember Hollow,2,"Cinder, ""Twice"" Told",A,18\n')
    assert file.cards["EMB", "2"].name == 'Cinder, "Twice" Told'


def test_lines_are_counted_as_an_editor_does() -> None:
    bad = "EMB,Ember Hollow,2,\u2028name,Z,1"
    content = f'{HEADER},flavour\n{ROW},"two\nlines"\n{bad},\n'
    assert problems_of(content) == [(2, "flavour"), (4, "tier")]


def test_json_says_the_same_as_csv() -> None:
    names = HEADER.split(",")
    as_json = json.dumps({"cards": [dict(zip(names, ROW.split(","), strict=True))]})
    card = read(as_json)[0].cards["EMB", "001"]
    assert (card.tier, card.value) == ("D", 50)


def test_a_json_number_never_passes_through_a_float() -> None:
    entry = (
        '{"set_code": "E", "set_name": "E", "number": 7, "name": "n", "tier": "D",'
        ' "value": 90071992.93}'
    )
    file, problems = read(f"[{entry}]")
    assert not problems
    assert file.cards["E", "7"].value == 9_007_199_293


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[", 1),
        ("{}", 1),
        ('{"cards": []} x', 1),
        ('{"cards": [], "more": 1}', 1),
        ('[\n{"a": 1}\n{"a": 1}]', 3),
        ('[\n\n{"a": NaN}]', 3),
        ('[\n"text"]', 2),
        ("[\n[[]]]", 2),
        ('[\n{"name": true}]', 2),
        ("[" * 100_000, 1),
    ],
)
def test_json_of_another_form_is_refused_with_its_line(content: str, line: int) -> None:
    assert line in [at for at, _ in problems_of(content)]


@pytest.mark.parametrize("content", [b"", b"  \n", HEADER.encode(), b"[]"])
def test_a_file_without_cards_is_refused(content: bytes) -> None:
    assert problems_of(content) == [(1, "")]


def test_text_that_is_not_utf8_is_refused_with_its_line() -> None:
    assert problems_of(f"{HEADER}\n".encode() + b"EMB,\xff") == [(2, "")]


def test_an_open_quote_is_refused() -> None:
    assert problems_of(f'{HEADER}\n{ROW}\nEMB,"Ember') == [(3, "")]


def test_an_unknown_column_is_refused_with_the_one_that_was_meant() -> None:
    _, problems = read(f"{HEADER},certifcate\n{ROW},\n")
    assert problems[0].column == "certifcate"
    assert "did you mean certificate?" in problems[0].message


def test_a_missing_column_is_said_once() -> None:
    rows = "EMB,Ember Hollow,001\n" * 50
    assert problems_of(f"set_code,set_name,number\n{rows}") == [
        (1, "name"),
        (1, "tier"),
        (1, "value"),
    ]


def test_a_column_that_is_there_twice_is_refused() -> None:
    assert problems_of(f"{HEADER},tier\n{ROW},D\n") == [(1, "tier")]


def test_a_row_with_more_or_fewer_cells_is_refused() -> None:
    assert problems_of(f"{HEADER}\n{ROW},\nEMB,x\n") == [(2, ""), (3, "")]


@given(st.integers(0, limits.CARD_VALUE_MAX_MINOR))
def test_an_amount_is_read_exactly(minor: int) -> None:
    text = f"{minor // 100}.{minor % 100:02d}"
    file, problems = read(f"{HEADER}\nE,E,1,n,D,{text}\n")
    assert not problems
    assert file.cards["E", "1"].value == minor


@pytest.mark.parametrize(("text", "minor"), [("7", 700), ("0.5", 50), ('"7,25"', 725)])
def test_short_and_comma_amounts_are_understood(text: str, minor: int) -> None:
    assert read(f"{HEADER}\nE,E,1,n,D,{text}\n")[0].cards["E", "1"].value == minor


@pytest.mark.parametrize(
    "text", ["-1", "1.005", '"1,234"', "1e3", "$5", "٣", ".5", "1000000000.01", "NaN"]
)
def test_an_amount_in_another_form_is_refused(text: str) -> None:
    assert problems_of(f"{HEADER}\nE,E,1,n,D,{text}\n") == [(2, "value")]


def test_a_value_may_be_in_minor_units_but_not_in_both() -> None:
    minor = HEADER.replace("value", "value_minor")
    assert read(f"{minor}\nE,E,1,n,D,1250\n")[0].cards["E", "1"].value == 1250
    assert problems_of(with_cells(value_minor="50")) == [(2, "value")]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("kind", "wooden"),
        ("weight_grams", "1.5"),
        ("quantity", "-1"),
        ("quantity", "100001"),
        ("place", "vaulted"),
        ("grade", "x" * 61),
        ("flavour", "bell\x07"),
        ("picture", "https://example.com/moth.png"),
        ("picture", "//example.com/moth.png"),
        ("picture", "../moth.png"),
        ("picture", "/etc/moth.png"),
        ("photo", "a\\b.png"),
        ("photo", "c:moth.png"),
    ],
)
def test_a_bad_cell_is_refused_with_its_column(column: str, cell: str) -> None:
    assert problems_of(with_cells(**{column: cell})) == [(2, column)]


def test_half_a_character_is_refused() -> None:
    entry = '{"set_code":"E","set_name":"E","number":"1","name":"\\ud800","tier":"D","value":"1"}'
    assert problems_of(f"[{entry}]") == [(1, "name")]


def test_a_row_without_stock_columns_adds_no_copies() -> None:
    assert read(f"{HEADER}\n{ROW}\n")[0].copies == []


def test_a_row_that_tells_of_a_copy_adds_one() -> None:
    (copy,) = read(with_cells(grade="9.5"))[0].copies
    assert (copy.quantity, copy.place, copy.grade) == (1, "house", "9.5")


def test_a_quantity_of_nothing_adds_nothing() -> None:
    assert read(with_cells(quantity="0"))[0].copies == []


@pytest.mark.parametrize("quantity", ["0", "2"])
def test_a_certificate_is_of_exactly_one_copy(quantity: str) -> None:
    assert problems_of(with_cells(quantity=quantity, certificate="EH-1")) == [(2, "quantity")]


def test_a_certificate_twice_is_refused_with_both_lines() -> None:
    content = with_cells(certificate="EH-1") + f"{ROW},EH-1\n"
    _, (problem,) = read(content)
    assert (problem.line, problem.column) == (3, "certificate")
    assert "line 2" in problem.message


def test_rows_of_one_card_must_agree_and_both_lines_are_named() -> None:
    _, (problem,) = read(f"{HEADER}\n{ROW}\n{ROW.replace(',D,', ',C,')}\n")
    assert (problem.line, problem.column, problem.value) == (3, "tier", "C")
    assert "line 2 says 'D'" in problem.message


def test_an_empty_cell_contradicts_nothing() -> None:
    file, problems = read(f"{HEADER},flavour\n{ROW},\n{ROW},Warm.\n{ROW},\n")
    assert not problems
    assert file.cards["EMB", "001"].flavour == "Warm."
    assert file.rows == 3


def test_two_hundred_problems_are_shown_and_all_are_counted() -> None:
    problems = ProblemList()
    rows = "".join(f"E,E,{number},n,Z,1\n" for number in range(300))
    read_import_file(f"{HEADER}\n{rows}".encode(), problems, progress=lambda *_: None)
    assert (len(problems.shown()), problems.count) == (200, 300)


def test_a_long_value_is_shortened_in_its_problem() -> None:
    _, (problem,) = read(with_cells(kind="x" * 5000))
    assert len(problem.value) == 40


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_file_is_worse_than_refused(content: bytes) -> None:
    file, problems = read(content)
    assert problems or file.cards


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=12)), min_size=1))
def test_no_json_is_worse_than_refused(entries: list[dict[str, str]]) -> None:
    file, problems = read(json.dumps(entries))
    assert problems or file.cards
