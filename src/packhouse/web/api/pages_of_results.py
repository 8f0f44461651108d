"""Pages of results by keyset: never an offset, so page one thousand costs what page one does."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec

from packhouse.web.queries import write_cursor

Item = TypeVar("Item")


class ResultPage(msgspec.Struct, Generic[Item], frozen=True):
    """Some results, and the cursor that asks for the next ones; None at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None


class SequencePosition(msgspec.Struct, frozen=True):
    """Where a list in order of its ``sequence`` stands; no larger than PostgreSQL's bigint."""

    sequence: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


def page_of(
    found: Sequence[Item], *, limit: int, position: Callable[[Item], object]
) -> ResultPage[Item]:
    """A page of ``found``, which was read with one result more than ``limit`` to see the end."""
    items = tuple(found[:limit])
    has_more = len(found) > limit
    return ResultPage(
        items=items, next_cursor=write_cursor(position(items[-1])) if has_more else None
    )
