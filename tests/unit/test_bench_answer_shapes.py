"""Whether two servers did the same: what counts as the same, and how a difference is told."""

from typing import Any

import msgspec
import pytest

from packhouse.bench.answer_shapes import (
    Opened,
    compare,
    list_differences,
    shape_of,
    with_whole_milliseconds,
)

OURS = Opened(
    status=201,
    answer={
        "openings": [{"id": "a", "cards": [{"value": 3, "paid_out": False}] * 2}],
        "balance": 9,
    },
    rows={"openings": 1, "user_cards": 2},
    wallet={"balance": -500, "sequence": 1},
)


def theirs(**changes: Any) -> Opened:  # noqa: ANN401 - any field
    other = {
        "openings": [{"id": "b", "cards": [{"value": 70, "paid_out": False}] * 2}],
        "balance": 4,
    }
    return msgspec.structs.replace(OURS, answer=other, **changes)


def test_other_identifiers_and_cards_are_no_difference() -> None:
    assert list_differences(OURS, theirs()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": 200}, "it answers 200 instead of 201"),
        ({"rows": {"openings": 1, "user_cards": 1}}, "user_cards grows by 1 rows instead of 2"),
        ({"wallet": {"balance": 0, "sequence": 1}}, "the wallet's balance moves by 0, not by -500"),
    ],
)
def test_less_work_is_told(changes: dict[str, Any], told: str) -> None:
    assert list_differences(OURS, theirs(**changes)) == [told]


def test_a_card_too_few_is_told() -> None:
    other = {"openings": [{"id": "b", "cards": [{"value": 7, "paid_out": True}]}], "balance": 1}
    assert list_differences(OURS, msgspec.structs.replace(OURS, answer=other)) == [
        "the answer.openings[0].cards has 1 instead of 2"
    ]


def test_what_an_answer_lacks_and_has_beyond_is_told() -> None:
    assert compare({"a": 1, "b": 2}, {"b": 2, "c": 3}, at="it") == [
        "it has c beyond ours",
        "it lacks a",
    ]


def test_a_shape_tells_apart_what_json_can_say() -> None:
    value = {"a": [1, 1.5, "x", True, None]}
    assert shape_of(value) == {"a": ["number", "number", "text", "true or false", "null"]}


@pytest.mark.parametrize(
    "moment",
    ["2026-11-27T03:00:00.120Z", "2026-11-27T03:00:00.120456Z", "2026-11-27T03:00:00.12+00:00"],
)
def test_moments_are_the_same_to_the_millisecond(moment: str) -> None:
    assert with_whole_milliseconds([{"at": moment}]) == [{"at": "2026-11-27T03:00:00.120Z"}]


def test_texts_that_are_no_moments_are_left_alone() -> None:
    assert with_whole_milliseconds("2026-11-27") == "2026-11-27"
    assert with_whole_milliseconds("2026-11-27T03:00:00Z") == "2026-11-27T03:00:00.000Z"
