"""Forms: what a person typed, read field by field, so that a page can show all of it again.

Nothing typed is ever lost, and every problem is told at once, at its field. What no keyboard
sends (NUL, other control characters) is left out; broken encodings are refused as a whole.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl
from uuid import UUID

from litestar import Request
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException

from packhouse.foundation.errors import InvalidInput, Refusal
from packhouse.web.asgi import Scope
from packhouse.web.errors import Malformed
from packhouse.web.queries import read_query

FORM_FIELDS_MAX: Final = 5_000
"""A pack of twenty layouts of twenty slots has some 3,700."""

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"([-+−]?)([0-9]{1,13})(?:[.,]([0-9]{1,2}))?")
_SLOT: Final = re.compile(r"slot-([0-9]+)-([0-9]+)-(\w+)")

PageRequest = Request[Any, Any, Any]
Choice = TypeVar("Choice", bound=str)


class Form:
    """The fields of a form as they were sent, and what was found wrong with them on the way.

    ``problems`` has a sentence for each bad field; the empty name is for the form as a whole.
    """

    def __init__(
        self, fields: Sequence[tuple[str, str]] = (), files: Mapping[str, UploadFile] | None = None
    ) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name, []).append(clean(value))
        self.files: Mapping[str, UploadFile] = files or {}
        self.problems: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    @property
    def names(self) -> Sequence[str]:
        """Every field that was sent, in order."""
        return list(self._fields)

    @property
    def summary(self) -> dict[str, str]:
        """The problems with the names of their fields, for the list above the form."""
        return {
            name: f"{_label_of(name)}: {sentence}" if name else sentence
            for name, sentence in self.problems.items()
        }

    def shown(self, name: str) -> str:
        """The field as it was typed, for showing it again."""
        return self._fields.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be sent several times."""
        return self._fields.get(name, [])

    def add_problem(self, name: str, sentence: str) -> None:
        """Note what is wrong with a field; the first problem of a field is the one shown."""
        self.problems.setdefault(name, sentence)

    def add_refusal(self, error: Refusal) -> None:
        """Note why a flow refused: at its fields where it names fields of this form."""
        named = error.errors if isinstance(error, InvalidInput) else ()
        for each in named:
            if each.field in self._fields:
                self.add_problem(each.field, each.message)
        rest = [f"{each.field}: {each.message}" for each in named if each.field not in self._fields]
        if rest or not named:
            self.add_problem("", " · ".join([error.message, *rest]))

    def text(self, name: str, *, length_max: int, is_required: bool = False) -> str:
        """One line or more of text without blanks around it."""
        value = self.shown(name).strip()
        if is_required and not value:
            self.add_problem(name, "This is needed.")
        if len(value) > length_max:
            self.add_problem(name, f"At most {length_max:,} characters.")
        return value

    def whole(self, name: str, *, minimum: int, maximum: int) -> int:
        """A whole number; ``minimum`` when it is none, with a problem noted."""
        value = self.shown(name).strip().replace(",", "").replace("\u202f", "")
        if _WHOLE.fullmatch(value) is None or not minimum <= int(value) <= maximum:
            self.add_problem(name, f"A whole number from {minimum:,} to {maximum:,}.")
            return minimum
        return int(value)

    def hundredths(self, name: str, *, minimum: int, maximum: int) -> int:
        """A decimal number with at most two places, in hundredths: ``5`` and ``5.00`` are 500."""
        match = _DECIMAL.fullmatch(self.shown(name).strip().replace(" ", ""))
        if match is None:
            self.add_problem(name, "An amount like 12.50.")
            return minimum
        value = int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))
        value = -value if match[1] in {"-", "−"} else value
        if not minimum <= value <= maximum:
            self.add_problem(name, f"From {minimum / 100:,.2f} to {maximum / 100:,.2f}.")
            return minimum
        return value

    def choice(self, name: str, choices: Sequence[Choice]) -> Choice:
        """One of ``choices``; the first of them when it is none, with a problem noted."""
        value = self.shown(name)
        if value not in choices:
            self.add_problem(name, "Choose one of the options.")
            return choices[0]
        return cast("Choice", value)

    def ids(self, name: str, *, most: int) -> list[UUID]:
        """The ids that were ticked."""
        values = self.all(name)
        if len(values) > most:
            self.add_problem(name, f"At most {most:,} at once.")
            return []
        try:
            return [UUID(value) for value in dict.fromkeys(values)]
        except ValueError:
            self.add_problem(name, "One of these is no id. Reload the page.")
            return []


def clean(text: str) -> str:
    """``text`` without control characters, its line ends as ``\\n``."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _label_of(name: str) -> str:
    """``slot-0-1-D`` as ``Layout 1, slot 2, D``, ``sell_back_rate`` as ``Sell back rate``."""
    match = _SLOT.fullmatch(name)
    if match is not None:
        return f"Layout {int(match[1]) + 1}, slot {int(match[2]) + 1}, {match[3]}"
    words = name.rpartition("-")[2] if name.startswith("layout-") else name
    return words.replace("_", " ").capitalize()


async def read_form(request: PageRequest) -> Form:
    """The form that a page sent, with files or without. Raises ``Malformed``."""
    if request.content_type[0] == "multipart/form-data":
        return await _read_multipart(request)
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FORM_FIELDS_MAX,
        )
    except (UnicodeError, ValueError) as error:
        raise Malformed("The form could not be read. Go back, reload the page, try again.") from (
            error
        )
    return Form(pairs)


def query_of(request: PageRequest) -> Mapping[str, str]:
    """The query string's values by name."""
    return read_query(cast("Scope", request.scope))


def read_query_form(request: PageRequest) -> Form:
    """The fields of a form that was sent by GET, each as often as it was."""
    query = request.scope["query_string"].decode("latin-1")
    return Form(parse_qsl(query, keep_blank_values=True))


async def _read_multipart(request: PageRequest) -> Form:
    try:
        sent = await request.form()
    except (ClientException, UnicodeError, LookupError) as error:
        raise Malformed("The form could not be read. Go back, reload the page, try again.") from (
            error
        )
    fields: list[tuple[str, str]] = []
    files: dict[str, UploadFile] = {}
    for name, value in sent.multi_items():
        if isinstance(value, UploadFile):
            files[name] = value
        else:
            fields.append((name, str(value)))
    return Form(fields, files)
