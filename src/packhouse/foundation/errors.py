"""The three families of error, told apart by what the reader can do about them.

::

    PackhouseError
    ├── Refusal   we say no; the caller can change something (4xx, logged as information)
    ├── Outage    something we need is away; try again later (503, logged as a warning)
    └── Breach    a law of the house is broken; never caught below the edge (500, alarm)

Every concrete error has a stable machine ``code`` and a sentence for people. Rooms subclass
``Refusal`` in their own ``errors.py`` and know nothing of HTTP: ``web/errors.py`` is the one table
that gives each code a status, and a test proves that table complete.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One bad field of an input: where it is (a JSON path without ``$.``) and what is wrong."""

    field: str
    message: str


class PackhouseError(Exception):
    """The root of the tree. ``fields`` are for logs and answers: never secrets, never addresses."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **fields: Any) -> None:  # noqa: ANN401 - any loggable value
        super().__init__(message)
        self.message = message
        self.fields = fields


class Refusal(PackhouseError):
    """We say no, kindly, and say what would make it a yes."""

    code: ClassVar[str] = "refused"


class Outage(PackhouseError):
    """Something this needs is away just now; with the same idempotency key trying again is safe."""

    code: ClassVar[str] = "unavailable"
    retry_after_seconds: ClassVar[int] = 2


class Breach(PackhouseError):
    """A law of the house would be broken. The transaction is rolled back and an alarm is raised."""

    code: ClassVar[str] = "internal_error"


class InvalidInput(Refusal):
    """The input does not have the form that was asked for; ``errors`` names each bad field."""

    code: ClassVar[str] = "invalid_input"

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class NotFound(Refusal):
    """There is no such thing, or it is not yours to see; the two look the same on purpose."""

    code: ClassVar[str] = "not_found"


class BadCursor(Refusal):
    """The page cursor was not made by this shop for this list."""

    code: ClassVar[str] = "bad_cursor"
