"""The tree of the draw log in tiles: RFC 6962 hashing in the form of C2SP tlog-tiles.

A tile has up to 256 hashes of one level: level 0 those of leaves, level L those of whole trees of
256^L leaves. Full tiles never change. The tiles at the right edge grow, and they are all that
appending and the root need, so that a log of any size costs the same.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from packhouse.foundation.errors import Breach
from packhouse.foundation.merkle import node_hash, root_of_hashes

TILE_WIDTH: Final = 256
TILE_LEVEL_MAX: Final = 5
HASH_BYTES: Final = 32


class TileId(NamedTuple):
    """Which tile: its level from the leaves, and its number from the left."""

    level: int
    number: int


def hashes_on_level(size: int, level: int) -> int:
    """How many hashes a tree of ``size`` leaves has on a level of tiles."""
    return size >> 8 * level


def edge_tiles(size: int) -> list[TileId]:
    """The tiles of a tree that are neither full nor empty, from the leaves upwards."""
    return [
        TileId(level, count // TILE_WIDTH)
        for level in range(TILE_LEVEL_MAX + 1)
        if (count := hashes_on_level(size, level)) % TILE_WIDTH
    ]


def tile_number_path(number: int) -> str:
    """A tile's number as its address has it: 1234067 is ``x001/x234/067``."""
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


class GrowingTree:
    """A tree known by its right edge, to which leaves are appended.

    ``tiles`` has the contents of ``edge_tiles(size)``. Raises ``Breach`` when they are not as long
    as the size asks for.
    """

    def __init__(self, size: int, tiles: Mapping[TileId, bytes]) -> None:
        self.size = size
        self.changed: dict[TileId, bytes] = {}
        """Every tile that has grown, as it is now."""
        self._edge: list[list[bytes]] = []
        for level in range(TILE_LEVEL_MAX + 1):
            count = hashes_on_level(size, level)
            tile = TileId(level, count // TILE_WIDTH)
            content = tiles.get(tile, b"") if count % TILE_WIDTH else b""
            if len(content) != count % TILE_WIDTH * HASH_BYTES:
                raise Breach(
                    f"Tile {tile.number} of level {level} of the draw log has {len(content)} bytes;"
                    f" a tree of {size} leaves has {count % TILE_WIDTH * HASH_BYTES} there."
                )
            self._edge.append(
                [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
            )

    def append(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves at the right."""
        grown: set[int] = set()
        for leaf in leaf_hashes:
            level, rising = 0, leaf
            while True:
                self._edge[level].append(rising)
                grown.add(level)
                if len(self._edge[level]) < TILE_WIDTH:
                    break
                full = self._edge[level]
                number = hashes_on_level(self.size, level) // TILE_WIDTH
                self.changed[TileId(level, number)] = b"".join(full)
                self._edge[level] = []
                level, rising = level + 1, root_of_hashes(full)
            self.size += 1
        for level in grown:
            if self._edge[level]:
                number = hashes_on_level(self.size, level) // TILE_WIDTH
                self.changed[TileId(level, number)] = b"".join(self._edge[level])

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves."""
        # The largest whole trees from left to right: each level's edge, cut at powers of two.
        whole: list[bytes] = []
        for hashes in reversed(self._edge):
            start = 0
            for power in range(TILE_WIDTH.bit_length() - 1, -1, -1):
                if len(hashes) & 1 << power:
                    whole.append(root_of_hashes(hashes[start : start + (1 << power)]))
                    start += 1 << power
        if not whole:
            return root_of_hashes([])
        root = whole.pop()
        while whole:
            root = node_hash(whole.pop(), root)
        return root
