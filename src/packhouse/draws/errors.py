"""How the draws room says no."""

from typing import ClassVar

from packhouse.foundation.errors import Refusal


class SoldOut(Refusal):
    """There is nothing left to draw, or the pack rests until it is restocked; nothing was paid."""

    code: ClassVar[str] = "sold_out"


class PackChanged(Refusal):
    """The version that the collector was shown is not the one on sale; nothing was paid."""

    code: ClassVar[str] = "pack_changed"


class PackNotFound(Refusal):
    """No pack of this name is on sale."""

    code: ClassVar[str] = "pack_not_found"


class SlugTaken(Refusal):
    """Another pack already has this slug."""

    code: ClassVar[str] = "slug_taken"


class ReasonRequired(Refusal):
    """The pack would pay back its price or more on average; publishing it needs a reason."""

    code: ClassVar[str] = "reason_required"


class StockMissing(Refusal):
    """The pack promises cards of which no copy is there to be given."""

    code: ClassVar[str] = "stock_missing"
