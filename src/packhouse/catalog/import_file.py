"""Reading an import file: pure, from bytes to cards and copies, with every problem at once.

A row is a card, or a card and copies of it. Rows of the same card must agree; an empty cell says
nothing. The columns are documented in ``docs/guides/import-your-cards.md``.
"""

import difflib
import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec

from packhouse.catalog.model import (
    CARD_KINDS,
    COPIES_PER_IMPORT_MAX,
    COPIES_PER_ROW_MAX,
    FLAVOUR_LENGTH_MAX,
    IMPORT_PLACES,
    NAME_LENGTH_MAX,
    NUMBER_LENGTH_MAX,
    PICTURE_NAME_LENGTH_MAX,
    SET_CODE_LENGTH_MAX,
    STOCK_TEXT_LENGTH_MAX,
    WEIGHT_GRAMS_MAX,
    CardKey,
    CardRow,
    CopyKey,
    CopyRow,
    Progress,
)
from packhouse.catalog.records import FileRecord, ProblemList, read_records
from packhouse.foundation.limits import CARD_VALUE_MAX_MINOR, IMPORT_ROWS_MAX
from packhouse.foundation.money import format_minor
from packhouse.foundation.tiers import TIERS

CARD_COLUMNS: Final = (
    *("set_code", "set_name", "number", "name", "tier", "value_minor", "value", "kind"),
    *("weight_grams", "flavour", "picture"),
)
STOCK_COLUMNS: Final = ("quantity", "place", "grade", "certificate", "photo", "location")
COLUMNS: Final = (*CARD_COLUMNS, *STOCK_COLUMNS)

REQUIRED_COLUMNS: Final = ("set_code", "set_name", "number", "name", "tier")
"""And one of ``value`` and ``value_minor``."""

PROGRESS_ROWS: Final = 5_000
"""How often reading tells how far it is."""

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"([0-9]{1,13})(?:[.,]([0-9]{1,2}))?")

Choice = TypeVar("Choice", bound=str)


class ImportFile(msgspec.Struct):
    """What a file says: each card once, by its key, and its rows of copies.

    ``pictures`` has the line and the column that name a picture first, by its file name.
    """

    cards: dict[CardKey, CardRow]
    copies: list[CopyRow]
    pictures: dict[str, tuple[int, str]]
    rows: int


def read_import_file(content: bytes, problems: ProblemList, *, progress: Progress) -> ImportFile:
    """Read all of a file; what is wrong goes to ``problems``, and that row is left out."""
    reader = _Reader(problems)
    total = content.count(b"\n") + 1
    records = read_records(content, problems, check_header=reader.may_go_on)
    for rows, (line, cells) in enumerate(records, start=1):
        if rows > IMPORT_ROWS_MAX:
            problems.add(line, "", "", f"an import has at most {IMPORT_ROWS_MAX:,} rows; split it")
            break
        reader.read((line, cells))
        if rows % PROGRESS_ROWS == 0:
            progress("read", min(line, total), total)
    progress("read", total, total)
    if not reader.file.rows and not problems.count:
        problems.add(1, "", "", "has no cards; the first line names the columns, then cards follow")
    return reader.file


class _Reader:
    """Reads row after row, remembering what earlier ones said."""

    def __init__(self, problems: ProblemList) -> None:
        self.file = ImportFile(cards={}, copies=[], pictures={}, rows=0)
        self._problems = problems
        self._unknown: set[str] = set()
        self._certificates: dict[CopyKey, int] = {}
        self._copies = 0

    def read(self, record: FileRecord) -> None:
        line, cells = record
        self.file.rows += 1
        self._note_unknown_columns(line, cells)
        row = _Row(line, cells, self._problems)
        before = self._problems.count
        card = row.card()
        copy = row.copy((card.set_code, card.number))
        if self._problems.count > before:
            return
        self._add_card(card)
        if card.picture is not None:
            self.file.pictures.setdefault(card.picture, (line, "picture"))
        if copy is not None:
            self._add_copy(copy)

    def may_go_on(self, line: int, header: list[str]) -> bool:
        """Note unknown and missing columns of a header; False when every row would fail."""
        self._note_unknown_columns(line, header)
        missing = [column for column in REQUIRED_COLUMNS if column not in header]
        if "value" not in header and "value_minor" not in header:
            missing.append("value")
        for column in missing:
            self._problems.add(line, column, "", "this column is missing")
        return not missing

    def _note_unknown_columns(self, line: int, columns: Iterable[str]) -> None:
        for column in columns:
            if column in COLUMNS or column in self._unknown:
                continue
            self._unknown.add(column)
            close = difflib.get_close_matches(column, COLUMNS, n=1)
            guess = f"; did you mean {close[0]}?" if close else ""
            self._problems.add(line, column[:40], "", f"is no column of an import{guess}")

    def _add_card(self, card: CardRow) -> None:
        known = self.file.cards.setdefault(card.key, card)
        if known is card:
            return
        told: dict[str, Any] = {}
        for name in CardRow.__struct_fields__[1:]:
            here, there = getattr(card, name), getattr(known, name)
            if here is None or here == there:
                continue
            if there is None:
                told[name] = here
                continue
            self._problems.add(
                card.line,
                name,
                str(here),
                f"line {known.line} says {str(there)[:40]!r} of the same card",
            )
        if told:
            self.file.cards[card.key] = msgspec.structs.replace(known, **told)

    def _add_copy(self, copy: CopyRow) -> None:
        if copy.certificate is not None:
            first = self._certificates.setdefault((copy.key, copy.certificate), copy.line)
            if first != copy.line:
                self._problems.add(
                    copy.line, "certificate", copy.certificate, f"is on line {first} already"
                )
                return
        before = self._copies
        self._copies += copy.quantity
        if before <= COPIES_PER_IMPORT_MAX < self._copies:
            self._problems.add(
                copy.line,
                "quantity",
                str(copy.quantity),
                f"an import adds at most {COPIES_PER_IMPORT_MAX:,} copies; split it",
            )
        if copy.photo is not None:
            self.file.pictures.setdefault(copy.photo, (copy.line, "photo"))
        self.file.copies.append(copy)


class _Row:
    """One row's cells, read column by column; a bad cell is noted and reads as empty."""

    def __init__(self, line: int, cells: dict[str, str], problems: ProblemList) -> None:
        self._line = line
        self._cells = cells
        self._problems = problems

    def card(self) -> CardRow:
        return CardRow(
            line=self._line,
            set_code=self._required("set_code", length_max=SET_CODE_LENGTH_MAX),
            set_name=self._required("set_name", length_max=NAME_LENGTH_MAX),
            number=self._required("number", length_max=NUMBER_LENGTH_MAX),
            name=self._required("name", length_max=NAME_LENGTH_MAX),
            tier=self._choice("tier", TIERS, is_required=True) or "D",
            value=self._value(),
            kind=self._choice("kind", CARD_KINDS),
            weight_grams=self._whole("weight_grams", maximum=WEIGHT_GRAMS_MAX),
            flavour=self._text("flavour", length_max=FLAVOUR_LENGTH_MAX),
            picture=self._file_name("picture"),
        )

    def copy(self, key: CardKey) -> CopyRow | None:
        """The copies that this row adds; a row that tells of a copy without a number has one."""
        if not any(column in self._cells for column in STOCK_COLUMNS):
            return None
        quantity = self._whole("quantity", maximum=COPIES_PER_ROW_MAX)
        copy = CopyRow(
            line=self._line,
            key=key,
            quantity=1 if quantity is None else quantity,
            place=self._choice("place", IMPORT_PLACES) or "house",
            grade=self._text("grade", length_max=STOCK_TEXT_LENGTH_MAX),
            certificate=self._text("certificate", length_max=STOCK_TEXT_LENGTH_MAX),
            photo=self._file_name("photo"),
            location=self._text("location", length_max=STOCK_TEXT_LENGTH_MAX),
        )
        if copy.certificate is not None and copy.quantity != 1:
            self._note("quantity", "must be 1 in a row with a certificate, which is of one copy")
        return copy if copy.quantity else None

    def _note(self, column: str, message: str) -> None:
        self._problems.add(self._line, column, self._cells.get(column, ""), message)

    def _text(self, column: str, *, length_max: int) -> str | None:
        text = self._cells.get(column)
        if text is None:
            return None
        if len(text) > length_max:
            self._note(column, f"is longer than {length_max} characters")
        if not text.isprintable() and _CONTROLS.search(text):
            self._note(column, "has a line break or another control character in it")
        return text

    def _required(self, column: str, *, length_max: int) -> str:
        text = self._text(column, length_max=length_max)
        if text is None:
            self._note(column, "is needed in every row")
        return text or ""

    def _choice(
        self, column: str, choices: tuple[Choice, ...], *, is_required: bool = False
    ) -> Choice | None:
        text = self._cells.get(column)
        if text is None:
            if is_required:
                self._note(column, "is needed in every row")
            return None
        for choice in choices:
            if text.casefold() == choice.casefold():
                return choice
        self._note(column, f"must be one of {', '.join(choices)}")
        return None

    def _whole(self, column: str, *, maximum: int) -> int | None:
        text = self._cells.get(column)
        if text is None:
            return None
        if _WHOLE.fullmatch(text) is None or int(text) > maximum:
            self._note(column, f"must be a whole number from 0 to {maximum:,}")
            return None
        return int(text)

    def _value(self) -> int:
        """Minor units from ``value_minor``, or exactly from the decimal text of ``value``."""
        if "value" in self._cells and "value_minor" in self._cells:
            self._note("value", "is there beside value_minor; keep one of the two")
            return 0
        if "value_minor" in self._cells:
            return self._whole("value_minor", maximum=CARD_VALUE_MAX_MINOR) or 0
        text = self._cells.get("value")
        if text is None:
            self._note("value", "is needed in every row (as value, or as value_minor)")
            return 0
        match = _DECIMAL.fullmatch(text)
        if match is None:
            self._note("value", "must be an amount like 12.50, without other signs")
            return 0
        minor = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
        if minor > CARD_VALUE_MAX_MINOR:
            self._note("value", f"must be at most {format_minor(CARD_VALUE_MAX_MINOR)}")
        return minor

    def _file_name(self, column: str) -> str | None:
        name = self._text(column, length_max=PICTURE_NAME_LENGTH_MAX)
        if name is None:
            return None
        if "://" in name or name.casefold().startswith(("data:", "//")):
            self._note(column, "is an address, and an import never fetches; name a file instead")
        elif (
            "\\" in name
            or ":" in name
            or not all(part not in {"", ".", ".."} for part in name.split("/"))
        ):
            self._note(column, "must be the name of a file inside the picture folder")
        return name
