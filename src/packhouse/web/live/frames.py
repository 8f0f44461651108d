"""Frames: pulls as the bytes that a stream sends, made once and shared by all who listen alike.

A frame is text of ``text/event-stream``, and for HTTP/1.1 a chunk around it. The same bytes object
goes to every stream of the same form, so ten thousand streams cost one encoding and no copies.
Pure.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

import msgspec

from packhouse.feed import Pull
from packhouse.foundation.tiers import Tier

LAST_CHUNK: Final = b"0\r\n\r\n"
COMMENT: Final = b": still here\n\n"


class Form(NamedTuple):
    """What makes two streams alike: the tier that they follow (None: all), and their framing."""

    tier: Tier | None
    is_chunked: bool

    def framed(self, text: bytes) -> bytes:
        """``text`` as this form sends it; nothing stays nothing, for an empty chunk is an end."""
        if not self.is_chunked or not text:
            return text
        return b"%x\r\n%b\r\n" % (len(text), text)


class Event(NamedTuple):
    """One pull, encoded."""

    sequence: int
    tier: Tier
    text: bytes


class Batch:
    """The pulls after the sequence ``after``, up to ``last``, oldest first, and their frames.

    Whoever stands anywhere in it gets the rest of it. A frame is made when somebody first asks.
    """

    __slots__ = ("_frames", "after", "events", "last")

    def __init__(self, *, after: int, events: Iterable[Event]) -> None:
        self.after = after
        self.events = tuple(events)
        self.last = self.events[-1].sequence if self.events else after
        self._frames: dict[Form, bytes] = {}

    def frame(self, form: Form) -> bytes:
        """All of it in one form; empty when nothing of it is wanted."""
        frame = self._frames.get(form)
        if frame is None:
            frame = self._frames[form] = _frame(self.events, form)
        return frame

    def frame_after(self, position: int, form: Form) -> bytes:
        """What of it comes after ``position``."""
        if position <= self.after:
            return self.frame(form)
        return _frame((event for event in self.events if event.sequence > position), form)


def encode_pull(pull: Pull) -> Event:
    """A pull as an event whose id is its sequence."""
    text = b"id: %d\ndata: %b\n\n" % (pull.sequence, msgspec.json.encode(pull))
    return Event(pull.sequence, pull.tier, text)


def welcome(form: Form, *, position: int, retry_ms: int) -> bytes:
    """The beginning of a stream that has everything up to ``position``.

    The id makes a stream that breaks before its first pull resume there, and loses nothing.
    """
    return form.framed(b": welcome\nretry: %d\nid: %d\n\n" % (retry_ms, position))


def comment_at(form: Form, position: int) -> bytes:
    """A sign of life that also moves the id on, for who follows a tier that seldom comes."""
    return form.framed(b": still here\nid: %d\n\n" % position)


@cache
def form_of(tier: Tier | None, *, is_chunked: bool) -> Form:
    """The one object of each form: streams keep a reference and no copy."""
    return Form(tier, is_chunked)


def _frame(events: Iterable[Event], form: Form) -> bytes:
    return form.framed(
        b"".join(event.text for event in events if form.tier is None or event.tier == form.tier)
    )
