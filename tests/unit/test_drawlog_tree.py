"""The draw log's tree in tiles: the same hashes whoever makes them, in whatever portions."""

import hashlib
from collections.abc import Iterator
from itertools import pairwise

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packhouse.drawlog import (
    HASH_BYTES,
    TILE_WIDTH,
    GrowingTree,
    TileId,
    edge_tiles,
    hashes_on_level,
    tile_number_path,
)
from packhouse.foundation.errors import Breach
from packhouse.foundation.merkle import leaf_hash, merkle_root, root_of_hashes

LEAVES = [f"leaf {number}".encode() for number in range(1_300)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]

sizes = st.integers(0, len(LEAVES))


def grown(*sizes_on_the_way: int, leaves: int = 0) -> tuple[GrowingTree, dict[TileId, bytes]]:
    """A tree that was stored and read again at each of the sizes, and all of its tiles."""
    stored: dict[TileId, bytes] = {}
    tree = GrowingTree(0, {})
    for start, end in pairwise([0, *sizes_on_the_way, leaves]):
        edge = {tile: stored[tile] for tile in edge_tiles(start)}
        tree = GrowingTree(start, edge)
        tree.append(HASHES[start:end])
        stored |= tree.changed
    return tree, stored


def tiles_by_definition(size: int) -> Iterator[tuple[TileId, bytes]]:
    """Every tile of a tree, each hash worked out from the leaves below it."""
    for level in range(3):
        below = TILE_WIDTH**level
        hashes = [
            root_of_hashes(HASHES[at * below : (at + 1) * below]) for at in range(size // below)
        ]
        for number, start in enumerate(range(0, len(hashes), TILE_WIDTH)):
            yield TileId(level, number), b"".join(hashes[start : start + TILE_WIDTH])


def test_the_empty_tree_has_the_hash_of_nothing_and_no_tiles() -> None:
    tree, stored = grown()
    assert tree.root() == hashlib.sha256(b"").digest()
    assert stored == {}


@given(st.lists(sizes, max_size=4), sizes)
def test_a_tree_is_the_same_in_whatever_portions_it_grew(stops: list[int], size: int) -> None:
    tree, stored = grown(*sorted(stop for stop in stops if stop <= size), leaves=size)
    assert tree.size == size
    assert tree.root() == merkle_root(LEAVES[:size])
    assert stored == dict(tiles_by_definition(size))


@given(sizes)
def test_an_independent_implementation_sees_the_same_root(size: int) -> None:
    other = pymerkle.InmemoryTree()
    other.append_entries(LEAVES[:size])
    assert grown(leaves=size)[0].root() == other.get_root()


@given(sizes, sizes)
def test_what_a_tile_once_had_it_keeps(before: int, after: int) -> None:
    before, after = sorted((before, after))
    earlier, later = grown(leaves=before)[1], grown(leaves=after)[1]
    assert all(later[tile].startswith(content) for tile, content in earlier.items())


@settings(max_examples=3, deadline=None)
@given(st.integers(TILE_WIDTH**2 - 1, TILE_WIDTH**2 + 600))
def test_a_third_level_grows_from_full_tiles_of_the_second(size: int) -> None:
    hashes = [number.to_bytes(HASH_BYTES, "big") for number in range(size)]
    tree = GrowingTree(0, {})
    tree.append(hashes)
    assert tree.root() == root_of_hashes(hashes)
    third = b"".join(
        root_of_hashes(hashes[start : start + TILE_WIDTH**2])
        for start in range(0, size - TILE_WIDTH**2 + 1, TILE_WIDTH**2)
    )
    assert tree.changed.get(TileId(2, 0), b"") == third


def test_only_tiles_that_grew_are_written_again() -> None:
    stored = grown(leaves=700)[1]
    tree = GrowingTree(700, {tile: stored[tile] for tile in edge_tiles(700)})
    tree.append(HASHES[700:720])
    assert set(tree.changed) == {TileId(0, 2)}


@pytest.mark.parametrize("content", [{}, {TileId(0, 0): b"short"}, {TileId(0, 0): b"x" * 128}])
def test_a_damaged_edge_is_no_tree(content: dict[TileId, bytes]) -> None:
    with pytest.raises(Breach, match="a tree of 3 leaves has 96 there"):
        GrowingTree(3, content)


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "000"),
        (67, "067"),
        (1_000, "x001/000"),
        (1_234_067, "x001/x234/067"),
        (10**9, "x001/x000/x000/000"),
    ],
)
def test_a_tiles_number_is_written_in_parts_of_three_digits(number: int, path: str) -> None:
    assert tile_number_path(number) == path


@given(st.integers(0, 2**50), st.integers(0, 5))
def test_each_level_has_a_hash_for_each_whole_tree_below_it(size: int, level: int) -> None:
    assert hashes_on_level(size, level) == size // TILE_WIDTH**level
