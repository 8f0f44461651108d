"""The ring: the newest pulls in memory, from which nearly everybody who comes back is answered."""

from bisect import bisect_right
from operator import attrgetter

from packhouse.web.live.frames import Batch

_LAST = attrgetter("last")


class Ring:
    """Batches that follow one another without a hole; at most ``pulls_max`` pulls.

    It reaches from after ``since`` to ``last``; the newest batch is kept however large it is.
    """

    def __init__(self, *, since: int, pulls_max: int) -> None:
        self._since = since
        self._pulls_max = pulls_max
        self._pulls = 0
        self._batches: list[Batch] = []

    @property
    def since(self) -> int:
        """Whoever stands at or after it can be answered from here."""
        return self._since

    @property
    def last(self) -> int:
        """The sequence of the newest pull."""
        return self._batches[-1].last if self._batches else self._since

    def append(self, batch: Batch) -> None:
        """Add what is new, and forget the oldest for it."""
        self._batches.append(batch)
        self._pulls += len(batch.events)
        while self._pulls > self._pulls_max and len(self._batches) > 1:
            oldest = self._batches.pop(0)
            self._pulls -= len(oldest.events)
            self._since = oldest.last

    def find_next(self, position: int) -> Batch | None:
        """The batch that goes on after ``position``; None when it is not held here."""
        if position < self._since or position >= self.last:
            return None
        return self._batches[bisect_right(self._batches, position, key=_LAST)]
