"""A receipt that was changed anywhere is caught, but where a receipt alone binds nothing.

Those places are listed here and in ``docs/fairness.md``, in the same words.
"""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from packhouse import verify
from packhouse.draws import PackConfig, Receipt, canonical_config, hash_of
from packhouse.verify import Differs
from worlds.veil_draws import CONFIGS, WIDE_LOT, lot_receipt, odds_receipt

NOT_BOUND: Final = {
    "id",
    "created_at",
    "cards[].user_card_id",
    "cards[].card.name",
    "cards[].card.set",
    "cards[].card.number",
    "cards[].card.image_url",
    "cards[].paid_out",
    "proof.client_seed_origin",
    "proof.lot.id",
}
"""What the shop states freely: no number depends on it, and no published file repeats it."""

LayeredPath = tuple[str | int, ...]


class Case:
    """A genuine receipt that was revealed, and the configuration it belongs to."""

    def __init__(self, name: str, config: PackConfig, receipt: Receipt) -> None:
        self.name = name
        self.text = msgspec.json.encode(receipt)
        self.tree: dict[str, Any] = json.loads(self.text)
        self.canonical = canonical_config(config)
        self.config_hash = hash_of(self.canonical).hex()
        self.published = verify.read_config(self.canonical, config_hash=self.config_hash)

    def __repr__(self) -> str:
        return self.name

    def verdict_on(self, content: bytes) -> str:
        try:
            receipt = verify.read_receipt(content)
        except Differs:
            return "differs"
        if (
            verify.check_commitment(receipt)
            or verify.check_terms(receipt, self.published)
            or verify.check_draws(receipt, self.published)
        ):
            return "differs"
        return "unrevealed" if receipt.server_seed is None else "matches"


EIGHT = CONFIGS["seven commons and a hit"]
FIVE = CONFIGS["regular and rare layouts"]
# Packs with many cards: the fewer numbers a pack has, the more other seeds give them by chance.
CASES = [
    Case("eight cards", EIGHT, odds_receipt(EIGHT, nonce=7, paid_out=7)),
    Case("five cards", FIVE, odds_receipt(FIVE, nonce=0)),
    Case("a pack of a lot", WIDE_LOT, lot_receipt(WIDE_LOT, first_draw=10)),
    Case("the last pack of a lot", WIDE_LOT, lot_receipt(WIDE_LOT, first_draw=30)),
]
ANY_CASE = st.sampled_from(CASES)
ANY_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=70),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def encoded(tree: object) -> bytes:
    return json.dumps(tree, ensure_ascii=True, separators=(",", ":")).encode()


def leaves_of(tree: object, path: LayeredPath = ()) -> Iterator[tuple[LayeredPath, object]]:
    """Every value that is no object and no list, with its path."""
    if isinstance(tree, dict):
        for name, part in tree.items():
            yield from leaves_of(part, (*path, name))
    elif isinstance(tree, list):
        for place, part in enumerate(tree):
            yield from leaves_of(part, (*path, place))
    else:
        yield path, tree


def objects_of(tree: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(tree, dict):
        yield tree
    if isinstance(tree, dict | list):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from objects_of(part)


def words_of(path: LayeredPath) -> str:
    """``cards[].card.name`` of any card."""
    words = "".join("[]" if isinstance(step, int) else f".{step}" for step in path)
    return words.removeprefix(".")


def changed_places(before: object, after: object) -> set[str]:
    old, new = dict(leaves_of(before)), dict(leaves_of(after))
    # True equals 1 in Python and not in JSON.
    return {
        words_of(path)
        for path in old.keys() | new.keys()
        if (path in old, type(old.get(path)), old.get(path))
        != (path in new, type(new.get(path)), new.get(path))
    }


def replaced(tree: dict[str, Any], path: LayeredPath, value: object) -> dict[str, Any]:
    made = copy.deepcopy(tree)
    part: Any = made
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return made


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_genuine_receipt_matches(case: Case) -> None:
    assert case.verdict_on(case.text) == "matches"


@given(ANY_CASE, st.data())
def test_flipping_any_byte_of_a_receipt_is_caught(case: Case, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(case.text) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(byte != case.text[place])
    forged = case.text[:place] + bytes([byte]) + case.text[place + 1 :]
    if case.verdict_on(forged) != "differs":
        changed = changed_places(case.tree, json.loads(forged))
        assert changed
        assert changed <= NOT_BOUND


@given(ANY_CASE, st.data())
def test_dropping_or_doubling_any_byte_of_a_receipt_is_caught(
    case: Case, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(case.text) - 1))
    copies = data.draw(st.sampled_from([0, 2]))
    middle = case.text[place : place + 1] * copies
    forged = case.text[:place] + middle + case.text[place + 1 :]
    if case.verdict_on(forged) != "differs":
        assert changed_places(case.tree, json.loads(forged)) <= NOT_BOUND


@given(ANY_CASE, ANY_VALUE, st.data())
def test_changing_any_value_of_a_receipt_is_caught(
    case: Case, value: object, data: st.DataObject
) -> None:
    path, _ = data.draw(st.sampled_from(list(leaves_of(case.tree))))
    forged = replaced(case.tree, path, value)
    changed = changed_places(case.tree, forged)
    assume(changed and not changed <= NOT_BOUND)
    verdict = case.verdict_on(encoded(forged))
    # Taking the seed out makes it the receipt that was there before the reveal.
    is_seed_hidden = path == ("server_seed",) and value is None
    assert verdict == ("unrevealed" if is_seed_hidden else "differs")


@given(ANY_CASE, st.sampled_from([-1, 1]), st.data())
def test_moving_any_number_of_a_receipt_by_one_is_caught(
    case: Case, step: int, data: st.DataObject
) -> None:
    numbers = [(path, value) for path, value in leaves_of(case.tree) if type(value) is int]
    path, value = data.draw(st.sampled_from(numbers))
    assert isinstance(value, int)
    assert case.verdict_on(encoded(replaced(case.tree, path, value + step))) == "differs"


@given(ANY_CASE, st.text(max_size=12), st.data())
def test_renaming_any_field_of_a_receipt_is_caught(
    case: Case, name: str, data: st.DataObject
) -> None:
    forged = copy.deepcopy(case.tree)
    part = data.draw(st.sampled_from(list(objects_of(forged))))
    old = data.draw(st.sampled_from(list(part)))
    assume(name not in part)
    part[name] = part.pop(old)
    assert case.verdict_on(encoded(forged)) == "differs"


@given(ANY_CASE, st.text(max_size=12), ANY_VALUE, st.data())
@example(CASES[0], "__proto__", 1, None)
def test_adding_a_field_anywhere_in_a_receipt_is_caught(
    case: Case, name: str, value: object, data: st.DataObject | None
) -> None:
    forged = copy.deepcopy(case.tree)
    parts = list(objects_of(forged))
    part = parts[0] if data is None else data.draw(st.sampled_from(parts))
    assume(name not in part and name != "paid_out")
    part[name] = value
    assert case.verdict_on(encoded(forged)) == "differs"


@given(ANY_CASE, st.data())
def test_taking_any_field_out_of_a_receipt_is_caught(case: Case, data: st.DataObject) -> None:
    forged = copy.deepcopy(case.tree)
    part = data.draw(st.sampled_from(list(objects_of(forged))))
    name = data.draw(st.sampled_from(list(part)))
    assume(name != "paid_out")
    del part[name]
    assert case.verdict_on(encoded(forged)) == "differs"


@given(ANY_CASE, st.data())
def test_a_field_written_twice_is_caught(case: Case, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(case.tree)))
    twice = case.text[:-1] + b"," + encoded({name: case.tree[name]})[1:]
    assert case.verdict_on(twice) == "differs"


@given(ANY_CASE, st.data())
def test_leaving_out_or_doubling_any_card_is_caught(case: Case, data: st.DataObject) -> None:
    forged = copy.deepcopy(case.tree)
    place = data.draw(st.integers(0, len(forged["cards"]) - 1))
    copies = data.draw(st.sampled_from([0, 2]))
    forged["cards"][place : place + 1] = [copy.deepcopy(forged["cards"][place])] * copies
    assert case.verdict_on(encoded(forged)) == "differs"


@given(ANY_CASE, st.data())
def test_flipping_any_byte_of_a_configuration_is_caught(case: Case, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(case.canonical) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(byte != case.canonical[place])
    forged = case.canonical[:place] + bytes([byte]) + case.canonical[place + 1 :]
    with pytest.raises(Differs):
        verify.read_config(forged, config_hash=case.config_hash)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), str(UUID(int=1))),
        (("created_at",), "2026-11-23T12:00:00Z"),
        (("cards", 0, "user_card_id"), str(UUID(int=1))),
        (("cards", 0, "card", "name"), "Another name"),
        (("cards", 0, "card", "set"), "Another set"),
        (("cards", 0, "card", "number"), "000"),
        (("cards", 0, "card", "image_url"), "/media/other.webp"),
        (("cards", 6, "paid_out"), True),
        (("proof", "client_seed_origin"), "stored"),
        (("proof", "lot", "id"), str(UUID(int=1))),
    ],
    ids=lambda value: words_of(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_bound_is_no_more_than_it_is(path: LayeredPath, value: object) -> None:
    case = CASES[2] if "lot" in path else CASES[1] if "paid_out" in path else CASES[0]
    if "paid_out" in path:
        path = ("cards", _first_physical(case), "paid_out")
    assert words_of(path) in NOT_BOUND
    assert case.verdict_on(encoded(replaced(case.tree, path, value))) == "matches"


def test_of_a_lot_a_receipt_alone_does_not_tell_which_prize_a_number_took() -> None:
    case = CASES[2]
    cards = case.tree["cards"]
    other = next(card for card in cards if card["card"]["id"] != cards[0]["card"]["id"])
    forged = copy.deepcopy(case.tree)
    for name in ("card", "tier", "value"):
        forged["cards"][0][name] = other[name]
    assert case.verdict_on(encoded(forged)) == "matches"


def test_the_document_lists_what_is_not_bound_in_the_same_words() -> None:
    document = (Path(__file__).parents[2] / "docs" / "fairness.md").read_text(encoding="utf-8")
    listed = re.search(r"```text not-bound\n(.*?)```", document, re.DOTALL)
    assert listed is not None
    assert set(listed[1].split("\n")) - {""} == NOT_BOUND


def _first_physical(case: Case) -> int:
    return next(place for place, card in enumerate(case.tree["cards"]) if card["tier"] != "D")
