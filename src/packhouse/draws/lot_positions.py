"""What is left of each lot, by position, as this process last knew it under the lot's lock.

Reading the rest of a lot for each draw would cost as much as the lot is large. Draws are dense and
are never changed, so what is left after so many draws is one thing only: what is remembered from
draw 40 needs but the items drawn since, and nothing when nobody else has drawn.
"""

from array import array
from bisect import bisect_left

from packhouse.draws.lot_store import LockedLot
from packhouse.draws.store import QUERIES
from packhouse.foundation.identifiers import LotId
from packhouse.foundation.limits import LOTS_REMEMBERED_MAX
from packhouse.plumbing.postgres import Connection


class LotPositions:
    """The remaining positions of the lots that were drawn from last."""

    def __init__(self, *, lots_max: int = LOTS_REMEMBERED_MAX) -> None:
        self._lots_max = lots_max
        self._known: dict[LotId, tuple[int, array[int]]] = {}

    async def list_remaining(self, connection: Connection, lot: LockedLot) -> "array[int]":
        """The positions that may still be drawn, in the manifest's order; the caller's own copy.

        The last-one prize is not among them. This transaction must hold the lot's row.
        """
        draws, known = self._known.get(lot.id, (lot.size, None))
        if known is None or draws > lot.draws:
            positions = await connection.fetchval(QUERIES["list_remaining_positions"], lot.id)
            return array("i", positions or ())
        remaining = known[:]
        if draws < lot.draws:
            rows = await connection.fetch(QUERIES["list_positions_drawn_since"], lot.id, draws)
            for row in rows:
                del remaining[bisect_left(remaining, row["position"])]
        return remaining

    def remember(self, lot_id: LotId, *, draws: int, remaining: "array[int]") -> None:
        """What is left after ``draws`` draws; only what is committed may be remembered."""
        # Taken out first so that the dictionary's order is by use: the first is the oldest.
        known = self._known.pop(lot_id, None)
        if known is not None and known[0] > draws:
            draws, remaining = known
        self._known[lot_id] = (draws, remaining)
        while len(self._known) > self._lots_max:
            del self._known[next(iter(self._known))]

    def forget(self, lot_id: LotId) -> None:
        """Read the lot anew at its next draw."""
        self._known.pop(lot_id, None)
