"""How the wallet says no."""

from typing import ClassVar

from packhouse.foundation.errors import Refusal


class InsufficientCredits(Refusal):
    """The balance does not cover it; nothing was debited."""

    code: ClassVar[str] = "insufficient_credits"


class CreditsLeft(Refusal):
    """There are other credits in the wallet than are given up; nothing was done."""

    code: ClassVar[str] = "credits_left"


class PaymentsUnavailable(Refusal):
    """This shop has no payment provider set up."""

    code: ClassVar[str] = "payments_unavailable"
