"""Bodies are read strictly, and every bad field is named."""

from contextlib import suppress
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.errors import InvalidInput
from packhouse.web.errors import Malformed
from packhouse.web.validation import decode_body


class Box(msgspec.Struct, forbid_unknown_fields=True):
    label: Annotated[str, msgspec.Meta(max_length=5)]
    sizes: tuple[int, ...] = ()


class Parcel(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1)]
    box: Box
    sent_on: date | None = None
    ids: tuple[UUID, ...] = ()


def errors_of(body: bytes) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        decode_body(body, Parcel)
    return {error.field: error.message for error in refused.value.errors}


def test_a_good_body_is_the_thing_itself() -> None:
    body = b'{"count": 2, "box": {"label": "a", "sizes": [1]}, "sent_on": "2026-11-22"}'
    assert decode_body(body, Parcel) == Parcel(2, Box("a", (1,)), date(2026, 11, 22))


def test_fields_are_named_down_to_the_element() -> None:
    errors = errors_of(
        b'{"count": 0, "box": {"label": "too long", "sizes": [1, "2"], "lid": 1}, "ids": [7]}'
    )
    assert errors.keys() == {"count", "box.label", "box.sizes[1]", "box.lid", "ids[0]"}


def test_missing_and_unknown_fields_are_told_apart() -> None:
    assert errors_of(b'{"box": {}, "colour": 1}') == {
        "count": "This field is missing.",
        "box.label": "This field is missing.",
        "colour": "There is no such field.",
    }


@pytest.mark.parametrize("count", ["1.0", '"1"', "true", "null", "1e400"])
def test_a_number_is_a_whole_number(count: str) -> None:
    body = b'{"count": %s, "box": {"label": "a"}}' % count.encode()
    with pytest.raises(InvalidInput):
        decode_body(body, Parcel)


def test_no_text_has_a_nul() -> None:
    assert errors_of(b'{"count": 1, "box": {"label": "a\\u0000"}}').keys() == {"box.label"}


def test_the_escape_of_a_backslash_is_no_nul() -> None:
    body = rb'{"count": 1, "box": {"label": "\\u00"}}'
    assert decode_body(body, Parcel).box.label == "\\u00"
    assert decode_body(rb'{"a": "\\u0000"}', dict[str, str]) == {"a": "\\u0000"}


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'"\\ud800"', b"[" * 100_000, b'{"count": 1, "box": {"label": "\xff"}}']
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises((Malformed, InvalidInput)):
        decode_body(body, Parcel)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(Malformed, InvalidInput):
        assert isinstance(decode_body(body, Parcel), Parcel)
