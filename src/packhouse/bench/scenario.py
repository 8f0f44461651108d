"""What a scenario is; how to add one is told in ``packhouse.bench.scenarios``."""

from collections.abc import Awaitable, Callable

import msgspec

from packhouse.bench.model import Outcome
from packhouse.bench.workbench import Workbench


class Scenario(msgspec.Struct, frozen=True):
    """``measures`` is one sentence for the report; ``run`` fills the outcome as it goes."""

    name: str
    measures: str
    run: Callable[[Workbench, Outcome], Awaitable[None]]
