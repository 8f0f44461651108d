"""Frames and ring of the live feed: shared bytes, and an answer for every position."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.tiers import Tier
from packhouse.web.live.frames import (
    Batch,
    Event,
    Form,
    comment_at,
    encode_pull,
    form_of,
    welcome,
)
from packhouse.web.live.ring import Ring
from worlds.made_up_pulls import made_up_pull

ALL = Form(tier=None, is_chunked=False)

batches_of_tiers = st.lists(st.lists(st.sampled_from(get_args(Tier)), min_size=1, max_size=5))


def fill(ring: Ring, tiers_of_batches: list[list[Tier]]) -> list[Event]:
    events = []
    for tiers in tiers_of_batches:
        begin = ring.last + 1
        batch = [
            Event(begin + place, tier, b"id: %d\n\n" % (begin + place))
            for place, tier in enumerate(tiers)
        ]
        ring.append(Batch(after=ring.last, events=batch))
        events += batch
    return events


def replay(ring: Ring, position: int, form: Form) -> bytes:
    text = b""
    while (batch := ring.find_next(position)) is not None:
        text += batch.frame_after(position, form)
        position = batch.last
    return text


@given(batches_of_tiers, st.integers(0, 20), st.sampled_from([None, *get_args(Tier)]))
def test_what_one_has_and_the_replay_of_the_rest_are_the_whole_at_every_position(
    tiers_of_batches: list[list[Tier]], since: int, tier: Tier | None
) -> None:
    ring = Ring(since=since, pulls_max=1_000)
    events = fill(ring, tiers_of_batches)
    form = Form(tier, is_chunked=False)
    wanted = [event for event in events if tier in (None, event.tier)]
    for position in range(since, ring.last + 1):
        seen = b"".join(event.text for event in wanted if event.sequence <= position)
        whole = b"".join(event.text for event in wanted)
        assert seen + replay(ring, position, form) == whole


@given(batches_of_tiers, st.integers(1, 10))
def test_a_full_ring_forgets_the_oldest_and_says_from_where_on_it_knows(
    tiers_of_batches: list[list[Tier]], pulls_max: int
) -> None:
    ring = Ring(since=0, pulls_max=pulls_max)
    events = fill(ring, tiers_of_batches)
    assert ring.last == len(events)
    newest = len(tiers_of_batches[-1]) if tiers_of_batches else 0
    assert ring.last - ring.since <= max(pulls_max, newest)
    held = b"".join(event.text for event in events if event.sequence > ring.since)
    assert replay(ring, ring.since, ALL) == held
    if ring.since:
        assert ring.find_next(ring.since - 1) is None


def test_a_ring_has_nothing_for_who_has_everything_or_more() -> None:
    ring = Ring(since=3, pulls_max=10)
    assert ring.last == 3
    fill(ring, [["D", "S"]])
    assert ring.find_next(5) is None
    assert ring.find_next(6) is None


def test_all_streams_of_one_form_are_handed_the_same_object() -> None:
    batch = Batch(after=0, events=[encode_pull(made_up_pull(1))])
    form = form_of(None, is_chunked=True)
    assert batch.frame(form) is batch.frame(Form(None, is_chunked=True))
    assert batch.frame_after(0, form) is batch.frame(form)
    assert form_of(None, is_chunked=True) is form


def test_a_chunk_says_its_length_in_bytes() -> None:
    batch = Batch(after=0, events=[Event(1, "D", "data: é\n\n".encode())])
    assert batch.frame(Form(None, is_chunked=True)) == b"a\r\n" + "data: é\n\n".encode() + b"\r\n"


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_batch_without_anything_wanted_sends_nothing_least_of_all_an_end(
    *, is_chunked: bool
) -> None:
    batch = Batch(after=0, events=[encode_pull(made_up_pull(1, "D"))])
    assert batch.frame(Form("SSS", is_chunked=is_chunked)) == b""
    assert batch.frame_after(1, Form(None, is_chunked=is_chunked)) == b""


def test_comments_are_comments_and_carry_the_position() -> None:
    assert comment_at(ALL, 7) == b": still here\nid: 7\n\n"
    assert welcome(ALL, position=7, retry_ms=1500) == b": welcome\nretry: 1500\nid: 7\n\n"


def test_an_event_is_one_line_of_json_under_its_sequence() -> None:
    text = encode_pull(made_up_pull(12, "SS")).text
    assert text.startswith(b'id: 12\ndata: {"sequence":12,')
    assert text.endswith(b"}\n\n")
    assert text.count(b"\n") == 3
