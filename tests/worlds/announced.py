"""What the shop has told the draw log and the relay has not moved on yet."""

from typing import TypeVar

from packhouse.foundation.events import Event, WaitingEvent
from packhouse.foundation.identifiers import HOUSE, UserId
from packhouse.house import House
from packhouse.plumbing.outbox import list_waiting_events

Fact = TypeVar("Fact", bound=Event)


async def list_announced(house: House, *, by: UserId = HOUSE) -> list[WaitingEvent]:
    """Everything that waits of one user, or of the house, in the public order."""
    async with house.database.connection() as connection:
        waiting = await list_waiting_events(connection, limit=100_000)
    return [event for event in waiting if event.user_id == by]


async def list_facts(house: House, kind: type[Fact], *, by: UserId = HOUSE) -> list[Fact]:
    """The facts of one kind."""
    announced = [waiting.event for waiting in await list_announced(house, by=by)]
    return [event for event in announced if isinstance(event, kind)]
