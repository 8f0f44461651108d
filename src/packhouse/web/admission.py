"""Admission: how many requests are worked on at once in one process, and who is turned away.

Beyond what the machine can do, letting everybody in only makes everybody slow: the work of those
who have given up already is done all the same. So the one too many is told at once to come again.
Counted is what takes turns at the processor and the database. Openings are not: they wait in their
own bounded line, where thousands in one second have their place. Nor is what costs next to nothing
or lasts for hours: probes, assets, files of the draw log, live streams.
"""

import re
from types import TracebackType
from typing import Final

from packhouse.foundation.limits import REQUESTS_IN_FLIGHT_MAX
from packhouse.web.errors import ShopBusy

_FREE: Final = re.compile(
    r"/(static|media|log|health)/.*|/metrics|/favicon\.ico|/robots\.txt"
    r"|/api/v1/feed/live|(/api/v1)?/packs/[^/]+/openings"
)


class Admission:
    """The requests of one process that are being worked on; each stands inside while it is."""

    def __init__(self, most: int = REQUESTS_IN_FLIGHT_MAX) -> None:
        self._most = most
        self._free = _Free()
        self.inside = 0

    def of(self, path: str) -> "Admission | _Free":
        """What a request for ``path`` has to stand in, as a context, while it is worked on."""
        return self._free if _FREE.fullmatch(path) else self

    def __enter__(self) -> None:
        """Come in. Raises ``ShopBusy`` when as many are inside as may be."""
        if self.inside >= self._most:
            raise ShopBusy("More is going on than the shop can serve at once; try again shortly.")
        self.inside += 1

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Leave, whatever happened inside."""
        self.inside -= 1


class _Free:
    """Comes and goes without being counted."""

    def __enter__(self) -> None:
        """Come in."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Leave."""
