"""Admission: how many requests are worked on at once in one process, and who is turned away.

Beyond what the machine can do, letting everybody in only makes everybody slow: the work of those
who have given up already is done all the same. So the one too many is told at once to come again,
by an answer that costs next to nothing. Too many is a fixed number, and far fewer as soon as those
inside have been there for long: what a machine can do in a second is not known beforehand.

Counted is what takes turns at the processor and the database. Openings are not: they wait in their
own bounded line, where thousands in one second have their place. Nor is what costs next to nothing
or lasts for hours: probes, assets, files of the draw log, live streams.
"""

import re
import time
from collections.abc import Callable, Sequence
from itertools import islice
from types import TracebackType
from typing import Final

import msgspec

from packhouse.foundation.limits import (
    REQUESTS_IN_FLIGHT_MAX,
    SLOW_REQUEST_SECONDS,
    SLOW_REQUESTS_MAX,
)
from packhouse.plumbing.logging import get_log
from packhouse.web.answers import Answer, send_answer
from packhouse.web.asgi import Scope, Send
from packhouse.web.errors import PROBLEM, ShopBusy, problem_of
from packhouse.web.headers import HeaderReader, request_id_of
from packhouse.web.problems import wants_page

log = get_log(__name__)

LOG_SECONDS: Final = 1.0
_FREE: Final = re.compile(
    r"/(static|media|log|health)/.*|/metrics|/favicon\.ico|/robots\.txt"
    r"|/api/v1/feed/live|(/api/v1)?/packs/[^/]+/openings"
)
_SENTENCE: Final = "More is going on than the shop can serve at once; try again in a moment."
_PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>Busy for a moment</title></head>'
    f"<body><h1>Busy for a moment</h1><p>{_SENTENCE}</p></body></html>"
).encode()
"""Not one of the shop's pages: those cost as much as what is refused."""


class Admission:
    """The requests of one process that are being worked on."""

    def __init__(
        self,
        most: int = REQUESTS_IN_FLIGHT_MAX,
        *,
        slow_most: int = SLOW_REQUESTS_MAX,
        slow_seconds: float = SLOW_REQUEST_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._slow_most = slow_most
        self._slow_seconds = slow_seconds
        self._seconds = seconds
        # By the order in which they came in, which is also that of their times.
        self._since: dict[object, float] = {}
        self._turned_away = 0
        self._logged_at = float("-inf")

    @property
    def inside(self) -> int:
        """How many are being worked on."""
        return len(self._since)

    def is_full_for(self, path: str) -> bool:
        """Whether a request for ``path`` has to be turned away now."""
        inside = len(self._since)
        if (inside < self._slow_most and inside < self._most) or _FREE.fullmatch(path):
            return False
        if inside >= self._most:
            return True
        came = next(islice(self._since.values(), self._slow_most - 1, None))
        return self._seconds() - came > self._slow_seconds

    def of(self, path: str) -> "_Inside":
        """The context in which a request for ``path`` is worked on."""
        return _Inside(None if _FREE.fullmatch(path) else self._since, self._seconds)

    async def turn_away(
        self, scope: Scope, send: Send, default_headers: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Answer 503 with ``Retry-After``; nothing else is done for this request."""
        self._turned_away += 1
        now = self._seconds()
        if now - self._logged_at >= LOG_SECONDS:
            # Not a line for each: writing those would be the next thing to be too slow for.
            log.warning("Requests are turned away", requests=self._turned_away, inside=self.inside)
            self._logged_at = now
            self._turned_away = 0
        request_id = request_id_of(HeaderReader(scope).text("x-request-id"))
        if wants_page(scope):
            kind, body = b"text/html; charset=utf-8", _PAGE
        else:
            problem = problem_of(ShopBusy(_SENTENCE), request_id=request_id)
            kind, body = PROBLEM, msgspec.json.encode(problem)
        answer = Answer(
            status=503,
            body=b"" if scope["method"] == "HEAD" else body,
            headers=(
                (b"content-type", kind),
                (b"retry-after", b"%d" % ShopBusy.retry_after_seconds),
                (b"x-request-id", request_id.encode()),
                *default_headers,
            ),
        )
        await send_answer(answer, send)


class _Inside:
    """Stands in the list while its request is worked on, unless it is one that is not counted."""

    __slots__ = ("_list", "_seconds")

    def __init__(self, counted: dict[object, float] | None, seconds: Callable[[], float]) -> None:
        self._list = counted
        self._seconds = seconds

    def __enter__(self) -> None:
        if self._list is not None:
            self._list[self] = self._seconds()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._list is not None:
            del self._list[self]
