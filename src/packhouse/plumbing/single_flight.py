"""Single flight: what many want to know in the same moment is asked once, and all get the answer.

A lock would do for answers. It is wrong for failures: each of a thousand who wait behind it would
try for themselves, one after the other, and the last would wait a thousand times as long as anybody
may. Here a failure is everybody's, and the next who comes asks anew.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SingleFlight(Generic[Answer]):
    """At most one asking at a time."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[Answer] | None = None

    async def ask(self, question: Callable[[], Coroutine[None, None, Answer]]) -> Answer:
        """The answer to ``question``, or to the one that is being asked; raises what it raises.

        Who stops waiting does not stop the asking: the others still want to know.
        """
        asking = self._asking
        # One that belongs to a loop that has ended will never answer.
        if asking is None or asking.done() or asking.get_loop() is not asyncio.get_running_loop():
            asking = asyncio.create_task(question())
            asking.add_done_callback(_hear)
            self._asking = asking
        return await asyncio.shield(asking)


def _hear(asked: "asyncio.Task[Answer]") -> None:
    # When nobody waited to the end there is nobody to be told of a failure, and that is no error.
    if not asked.cancelled():
        asked.exception()
