"""Draws of a finite lot, its manifest and the Merkle root over it."""

import hashlib
import hmac
import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.draws import LotDraw, LotItem, decide_lot, manifest_leaf, merkle_root
from packhouse.foundation.identifiers import CardId
from worlds.four_packs import FINITE_LOT, lot_config_of, manifest_of

LOT_SEED = b"lot seed of thirty-two bytes ...".ljust(32, b".")
USER_KEY = b"k" * 16

# The leaves and roots that Certificate Transparency's implementations test themselves with: the
# root over the first n leaves of RFC 6962 trees.
KNOWN_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def items(count: int) -> tuple[LotItem, ...]:
    return tuple(
        LotItem(
            position=position,
            card=CardId(UUID(int=position + 1)),
            stock_item_id=None,
            tier="D",
            value=100,
            is_last_one=False,
        )
        for position in range(count)
    )


def drawn(
    remaining: tuple[LotItem, ...],
    *,
    draws: int,
    first_draw: int = 0,
    lot_seed: bytes = LOT_SEED,
    root: bytes = b"r" * 32,
    user_key: bytes = USER_KEY,
    client_seed: str = "still pond",
) -> list[LotDraw]:
    return decide_lot(
        lot_seed=lot_seed,
        manifest_root=root,
        first_draw=first_draw,
        draws=draws,
        user_key=user_key,
        client_seed=client_seed,
        remaining=remaining,
    )


def drawn_anew(remaining: tuple[LotItem, ...], *, draws: int, first_draw: int) -> list[int]:
    """Positions drawn, from the description of lot draws alone."""
    left = [item.position for item in remaining]
    seed_hash = hashlib.sha256(b"still pond").digest()
    positions = []
    for draw in range(first_draw, first_draw + draws):
        message = b"packhouse/lot/01" + b"r" * 32 + draw.to_bytes(8, "big") + USER_KEY + seed_hash
        block = b"".join(
            hmac.new(LOT_SEED, message + counter.to_bytes(4, "big"), "sha256").digest()
            for counter in range(4)
        )
        words = (int.from_bytes(block[at : at + 8], "big") for at in range(0, 128, 8))
        limit = 2**64 // len(left) * len(left)
        positions.append(left.pop(next(word % len(left) for word in words if word < limit)))
    return positions


def level_by_level_root(leaves: list[bytes]) -> bytes:
    """The same tree from the bottom up: neighbours join, an odd last one rises as it is."""
    if not leaves:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(b"\x01" + one + other).digest() for one, other in pairs] + odd
    return level[0]


@given(st.integers(1, 60))
def test_over_a_whole_lot_each_item_leaves_exactly_once(count: int) -> None:
    manifest = items(count)
    draws = drawn(manifest, draws=count)
    assert sorted(draw.item.position for draw in draws) == list(range(count))


@given(st.integers(1, 60), st.integers(0, 10**6))
def test_draws_are_numbered_densely_and_say_how_many_were_left(count: int, first_draw: int) -> None:
    draws = drawn(items(count), draws=count, first_draw=first_draw)
    assert [draw.draw for draw in draws] == list(range(first_draw, first_draw + count))
    assert [draw.ticket.of for draw in draws] == list(range(count, 0, -1))


@given(st.integers(1, 40), st.integers(0, 1_000), st.data())
def test_a_lot_is_drawn_as_the_description_says(
    count: int, first_draw: int, data: st.DataObject
) -> None:
    remaining = items(count)
    draws = data.draw(st.integers(0, count))
    positions = [
        draw.item.position for draw in drawn(remaining, draws=draws, first_draw=first_draw)
    ]
    assert positions == drawn_anew(remaining, draws=draws, first_draw=first_draw)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=8))
def test_one_purchase_or_many_give_the_same_items(purchases: list[int]) -> None:
    manifest = items(sum(purchases) + 3)
    at_once = drawn(manifest, draws=sum(purchases))
    one_by_one: list[LotDraw] = []
    for draws in purchases:
        taken = {draw.item.position for draw in one_by_one}
        left = tuple(item for item in manifest if item.position not in taken)
        one_by_one += drawn(left, draws=draws, first_draw=len(one_by_one))
    assert one_by_one == at_once


def test_drawing_leaves_the_callers_list_as_it_was() -> None:
    remaining = list(items(5))
    drawn(tuple(remaining), draws=5)
    assert remaining == list(items(5))


def test_a_lot_has_this_golden_order() -> None:
    assert [draw.item.position for draw in drawn(items(10), draws=10)] == [
        9,
        7,
        8,
        3,
        6,
        5,
        0,
        2,
        4,
        1,
    ]


def test_changing_any_one_input_changes_the_order() -> None:
    manifest = items(40)
    orders = [
        drawn(manifest, draws=40),
        drawn(manifest, draws=40, lot_seed=b"\x01" * 32),
        drawn(manifest, draws=40, root=b"\x01" * 32),
        drawn(manifest, draws=40, user_key=b"\x01" * 16),
        drawn(manifest, draws=40, client_seed="still ponds"),
        drawn(manifest, draws=40, first_draw=1),
    ]
    assert len({tuple(draw.item.position for draw in order) for order in orders}) == 6


def test_more_draws_than_items_are_never_made() -> None:
    with pytest.raises(ValueError, match="no ticket below 0"):
        drawn(items(3), draws=4)


def test_a_finite_lot_gives_out_its_whole_prize_list_and_nothing_else() -> None:
    manifest = manifest_of(FINITE_LOT)
    *on_draw, last_one = manifest
    draws = drawn(tuple(on_draw), draws=len(on_draw))
    terms = lot_config_of(FINITE_LOT).lot
    assert terms is not None
    assert len(draws) == terms.packs * terms.cards_per_pack
    promised = [prize.card for prize in terms.prizes for _ in range(prize.count)]
    assert sorted(draw.item.card for draw in draws) == sorted(promised)
    assert last_one.is_last_one
    assert terms.last_one is not None
    assert last_one.card == terms.last_one.card


def test_a_manifest_line_is_canonical_json() -> None:
    item = items(1)[0]
    assert manifest_leaf(item) == (
        b'{"card":"00000000-0000-0000-0000-000000000001","is_last_one":false,"position":0,'
        b'"stock_item_id":null,"tier":"D","value":100}'
    )


@pytest.mark.parametrize("size", range(len(KNOWN_ROOTS)))
def test_small_trees_have_the_roots_that_are_known_for_them(size: int) -> None:
    assert merkle_root(KNOWN_LEAVES[:size]).hex() == KNOWN_ROOTS[size]


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_a_root_is_the_same_built_from_the_bottom_up(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == level_by_level_root(leaves)


@given(st.lists(st.binary(min_size=1, max_size=4), min_size=1, max_size=20), st.data())
def test_changing_dropping_or_adding_a_leaf_changes_the_root(
    leaves: list[bytes], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:place], leaves[place] + b"\x00", *leaves[place + 1 :]]
    dropped = leaves[:place] + leaves[place + 1 :]
    roots = {merkle_root(kept) for kept in (leaves, changed, dropped, [*leaves, b""])}
    assert len(roots) == 4


def test_swapping_two_leaves_changes_the_root() -> None:
    orders = itertools.permutations([b"one", b"two", b"three"])
    assert len({merkle_root(order) for order in orders}) == 6
