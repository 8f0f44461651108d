"""What a verifier can come to: it differs, or it could not be looked at."""

from collections.abc import Callable

import msgspec


class Mismatch(msgspec.Struct, frozen=True):
    """One place that is not as it has to be; ``field`` is its path, as in ``cards[2].value``."""

    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, found {self.found}"


class Differs(Exception):
    """What was read is not what it claims to be; nothing further can be checked."""

    def __init__(self, field: str, *, expected: str, found: str) -> None:
        self.mismatch = Mismatch(field, expected, found)
        super().__init__(str(self.mismatch))

    def __reduce__(self) -> tuple[Callable[[Mismatch], "Differs"], tuple[Mismatch]]:
        """For the way between processes: an exception is not made again by its keywords."""
        return _differs, (self.mismatch,)


def _differs(mismatch: Mismatch) -> Differs:
    return Differs(mismatch.field, expected=mismatch.expected, found=mismatch.found)


class CouldNotLook(Exception):
    """Something needed for the check is not there; that says nothing about what was drawn."""
