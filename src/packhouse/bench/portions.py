"""Long sequences in portions, so that millions of rows never stand in memory at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def portions(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items in their order; the last may be shorter."""
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion
