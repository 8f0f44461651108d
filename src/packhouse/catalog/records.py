"""From the bytes of an import file to records: one line number and its cells as text.

CSV and JSON come out alike, so that everything after this knows one form only. Numbers of a JSON
file stay the text they are written in: no amount ever passes through a float.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from packhouse.catalog.model import IMPORT_PROBLEMS_SHOWN_MAX, ImportProblem

VALUE_CHARACTERS_SHOWN: Final = 40

FileRecord = tuple[int, dict[str, str]]
"""The line a record begins on, and its cells that are not empty, by column."""

HeaderCheck = Callable[[int, list[str]], bool]
"""Looks at the line and names of a header, notes what is wrong; False ends the reading."""

_DELIMITERS: Final = (",", ";", "\t")
_SPACE: Final = re.compile(r"[ \t\r\n]*")


class ProblemList:
    """Problems of a file: the first ones kept, all of them counted."""

    def __init__(self, *, shown_max: int = IMPORT_PROBLEMS_SHOWN_MAX) -> None:
        self._shown_max = shown_max
        self._shown: list[ImportProblem] = []
        self.count = 0

    def add(self, line: int, column: str, value: str, message: str) -> None:
        """Note a problem; a long value is shortened."""
        self.count += 1
        if len(self._shown) < self._shown_max:
            shown = value if len(value) <= VALUE_CHARACTERS_SHOWN else value[:39] + "…"
            self._shown.append(ImportProblem(line, column, shown, message))

    def shown(self) -> list[ImportProblem]:
        """The problems that were kept, in the order of their lines."""
        return sorted(self._shown, key=lambda problem: problem.line)


def read_records(
    content: bytes, problems: ProblemList, *, check_header: HeaderCheck
) -> Iterator[FileRecord]:
    """The records of a CSV or JSON file, whichever it is; what cannot be read is a problem."""
    text = _decode(content, problems)
    if text is None:
        return iter(())
    if text.lstrip()[:1] in {"[", "{"}:
        return _read_json(text, problems)
    return _read_csv(text, problems, check_header)


def _decode(content: bytes, problems: ProblemList) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add(
            line,
            "",
            "",
            "is not UTF-8 text; save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”)",
        )
        return None
    if not text.strip():
        problems.add(1, "", "", "the file is empty; it needs a header row and at least one card")
        return None
    return text


def _read_csv(text: str, problems: ProblemList, check_header: HeaderCheck) -> Iterator[FileRecord]:
    # StringIO ends lines where CSV does; str.splitlines would also end them at U+2028.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter_of(text), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            first_line, line = line, reader.line_num + 1
            if not any(cells):
                continue
            if header is None:
                header = [cell.strip().casefold() for cell in cells]
                _note_repeated_columns(header, first_line, problems)
                if not check_header(first_line, header):
                    return
            elif len(cells) != len(header):
                problems.add(
                    first_line, "", "", f"has {len(cells)} cells where the header has {len(header)}"
                )
            else:
                yield first_line, _filled(header, cells)
    except csv.Error as error:
        problems.add(line, "", "", f"cannot be read as CSV ({error}); is a quote left open?")


def _delimiter_of(text: str) -> str:
    header = text.lstrip("\r\n").split("\n", 1)[0]
    return max(_DELIMITERS, key=header.count)


def _note_repeated_columns(header: list[str], line: int, problems: ProblemList) -> None:
    for index, name in enumerate(header):
        if name in header[:index]:
            problems.add(line, name, "", "this column is there twice")


def _filled(header: list[str], cells: list[str]) -> dict[str, str]:
    pairs = zip(header, cells, strict=True)
    return {name: text for name, cell in pairs if (text := cell.strip())}


def _read_json(text: str, problems: ProblemList) -> Iterator[FileRecord]:
    """Each object of an array, or of the array ``cards`` of an object, one after another."""
    decoder = json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=list
    )
    position = _array_start(text, problems)
    line, counted = 1, 0
    is_first = True
    while position is not None:
        position = _after_space(text, position)
        if text[position : position + 1] == "]":
            _note_text_after(text, position + 1, problems)
            return
        if not is_first:
            if text[position : position + 1] != ",":
                break
            position = _after_space(text, position + 1)
        is_first = False
        line, counted = line + text.count("\n", counted, position), position
        try:
            pairs, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            at = error.lineno if isinstance(error, json.JSONDecodeError) else line
            problems.add(at, "", "", f"is not JSON ({reason})")
            return
        yield from _json_record(line, pairs, problems)
    if position is not None:
        problems.add(
            text.count("\n", 0, position) + 1, "", "", "is not JSON (a comma or ] is missing)"
        )


def _array_start(text: str, problems: ProblemList) -> int | None:
    """The position after the ``[`` that opens the cards."""
    match = re.match(r'\s*(?:\{\s*"cards"\s*:\s*)?\[', text)
    if match is None:
        problems.add(1, "", "", 'must be an array of cards, or an object {"cards": […]}')
        return None
    return match.end()


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return position if match is None else match.end()


def _note_text_after(text: str, position: int, problems: ProblemList) -> None:
    """After the array comes nothing, but for the brace that closes ``{"cards": […]}``."""
    expected = "}" if text.lstrip().startswith("{") else ""
    if text[position:].strip() != expected:
        line = text.count("\n", 0, position) + 1
        problems.add(line, "", "", "there must be nothing else beside the array of cards")


def _refuse_constant(name: str) -> str:
    raise ValueError(f"{name} is no number")


def _json_record(line: int, pairs: Any, problems: ProblemList) -> Iterator[FileRecord]:  # noqa: ANN401 - whatever the file has
    # The hook makes every object a list of pairs; a real array is a list of something else, or
    # empty like {}.
    if not isinstance(pairs, list) or not all(
        isinstance(pair, tuple) and len(pair) == 2 for pair in pairs
    ):
        problems.add(line, "", "", "each card must be an object with the columns as its names")
        return
    cells: dict[str, str] = {}
    for name, value in pairs:
        column = name.strip().casefold()
        if column in cells:
            problems.add(line, column, "", "this name is there twice in one object")
        if value is None:
            continue
        if not isinstance(value, str):
            problems.add(line, column, "", "must be text or a number")
            continue
        if value.strip():
            cells[column] = value.strip()
    yield line, cells
