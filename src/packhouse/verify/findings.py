"""What a verifier can come to: it differs, or it could not be looked at."""

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


class CouldNotLook(Exception):
    """Something needed for the check is not there; that says nothing about what was drawn."""
