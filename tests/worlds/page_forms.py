"""Reading a page as its visitor's browser does: which form goes where, with which values."""

from html.parser import HTMLParser
from typing import Final

import msgspec

SPACE: Final = " "


class PageForm(msgspec.Struct):
    """One form of a page: its address and method, and the values it would send untouched."""

    action: str
    method: str
    values: dict[str, list[str]] = {}

    def filled(self, **typed: str | list[str]) -> dict[str, str | list[str]]:
        """What the browser sends after ``typed`` was put in."""
        return {**self.values, **typed}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.words: list[str] = []
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            form = PageForm(given.get("action", ""), given.get("method", "get"), values={})
            self.forms.append(form)
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and "selected" in given and self._select is not None:
            self._keep(self._select, given["value"])
        elif tag == "input" and self._is_sent(given):
            self._keep(given["name"], given.get("value", ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def _is_sent(self, given: dict[str, str]) -> bool:
        if not self.forms or "name" not in given:
            return False
        return given.get("type") not in ("checkbox", "radio") or "checked" in given

    def _keep(self, name: str, value: str) -> None:
        self.forms[-1].values.setdefault(name, []).append(value)


def form_of(html: str, action: str) -> PageForm:
    """The form of a page that goes to ``action``."""
    reader = _Reader()
    reader.feed(html)
    return next(form for form in reader.forms if form.action == action)


def words_of(html: str) -> str:
    """What stands on a page, without its markup and with single spaces."""
    reader = _Reader()
    reader.feed(html)
    return SPACE.join(SPACE.join(reader.words).split())
