"""Checks: each law of the house, written once, gives a finding.

Tests, the readiness report, metrics and runbooks all use the same check, so that what is promised
and what is watched cannot drift apart.
"""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """What a check saw: the law's name, whether it held, and evidence that a person can act on."""

    law: str
    holds: bool
    evidence: str
