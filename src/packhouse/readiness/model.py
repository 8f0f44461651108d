"""What a readiness report says: each check with its result, its evidence and what to do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

Result = Literal["pass", "fail", "not_applicable"]


class Seen(msgspec.Struct, frozen=True):
    """What a look found: the result, and the evidence for it in a sentence."""

    result: Result
    evidence: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it was found."""

    name: str
    title: str
    must: bool
    result: Result
    evidence: str
    advice: str
    takes: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All lines, in the order of the checklist, and when they were looked at."""

    begun_at: datetime
    seconds: float
    checks: tuple[Line, ...]

    @property
    def failed_musts(self) -> tuple[Line, ...]:
        """What has to be mended before a launch."""
        return tuple(line for line in self.checks if line.must and line.result == "fail")

    @property
    def failed(self) -> tuple[Line, ...]:
        """Everything that failed."""
        return tuple(line for line in self.checks if line.result == "fail")


def passed(evidence: str) -> Seen:
    """It is as it should be."""
    return Seen(result="pass", evidence=evidence)


def failed(evidence: str) -> Seen:
    """It is not."""
    return Seen(result="fail", evidence=evidence)


def not_applicable(why: str) -> Seen:
    """This shop cannot have it, or does not need it."""
    return Seen(result="not_applicable", evidence=why)


def judged(evidence: str, *, holds: bool) -> Seen:
    """Passed or failed, on the same evidence."""
    return passed(evidence) if holds else failed(evidence)


def sentence_of(parts: Sequence[str]) -> str:
    """Several findings as one sentence."""
    joined = "; ".join(parts)
    return f"{joined[:1].upper()}{joined[1:]}."
