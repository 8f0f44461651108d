"""The outbox: events are written with the effect, and moved on by one relay, by deletion.

Moving by deletion (never by a watermark) means that an event committed late, with an early id, is
still found. The relay's order is the public order: that of the events' identifiers, which are made
under the locks of their effects; within one user it is the wallet's order.
"""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

import msgspec

from packhouse.foundation.errors import Breach
from packhouse.foundation.events import Event, SeedCommitted, SeedRevealed, WaitingEvent
from packhouse.plumbing.postgres import Connection, ReadConnection, Record
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")

_TYPES: dict[tuple[str, int], type[Event]] = {
    (event.kind, event.version): event for event in get_args(Event)
}


async def insert_events(connection: Connection, events: Sequence[WaitingEvent]) -> None:
    """Write events, if any, in their effect's transaction; all carry the first one's time."""
    if not events:
        return
    await connection.execute(
        QUERIES["insert_events"],
        [waiting.user_id for waiting in events],
        [waiting.id for waiting in events],
        [waiting.event.kind for waiting in events],
        [waiting.event.version for waiting in events],
        [waiting.subject_id for waiting in events],
        [waiting.sequence for waiting in events],
        [msgspec.json.encode(waiting.event).decode() for waiting in events],
        events[0].created_at,
    )


async def claim_relay(connection: Connection) -> bool:
    """Whether this transaction is the one relay; the claim ends with the transaction."""
    return bool(await connection.fetchval(QUERIES["claim_relay"]))


async def hold_relay(connection: Connection) -> None:
    """Wait until no relay is at work; none is until this transaction ends.

    Then all that was ever moved on can be seen here, and what waits stays as it is.
    """
    await connection.execute(QUERIES["hold_relay"])


async def rename_in_events(connection: Connection, user_id: UUID, *, username: str) -> None:
    """Put another feed name into a user's waiting events; the relay is held back before."""
    await connection.execute(QUERIES["rename_in_events"], user_id, username)


async def list_waiting_events(connection: Connection, *, limit: int) -> list[WaitingEvent]:
    """The beginning of the line: about ``limit`` events, each user's in the wallet's order."""
    rows = await connection.fetch(QUERIES["list_waiting_events"], limit)
    return first_in_line([_read_event(row) for row in rows], limit=limit)


def first_in_line(events: Sequence[WaitingEvent], *, limit: int) -> list[WaitingEvent]:
    """The longest beginning of at most ``limit`` events that leaves no earlier step behind.

    ``events`` are in the order of their identifiers. To go on with a user's later events would
    overtake those of others: a lot's end, say, the openings that it ended with. Where a user's line
    is so much in disorder that no beginning will do, it is longer than ``limit``.
    """
    ordered = in_wallet_order(events)
    astray: set[UUID] = set()
    end = 0
    for place, (waiting, moved) in enumerate(zip(events, ordered, strict=True), start=1):
        astray ^= {waiting.id}
        astray ^= {moved.id}
        if place > limit and end:
            break
        if not astray:
            end = place
    return ordered[:end]


def in_wallet_order(events: Sequence[WaitingEvent]) -> list[WaitingEvent]:
    """Keep the places that each user has in the line, but fill them in the wallet's order.

    An opening always moves the wallet on, so at one step it comes before what became of its seed
    pair there.
    """
    by_user: dict[UUID, list[WaitingEvent]] = {}
    for waiting in events:
        by_user.setdefault(waiting.user_id, []).append(waiting)
    lines = {user_id: iter(sorted(line, key=_wallet_step)) for user_id, line in by_user.items()}
    return [next(lines[waiting.user_id]) for waiting in events]


async def delete_events(connection: Connection, events: Sequence[WaitingEvent]) -> None:
    """Take away what was moved on."""
    await connection.execute(
        QUERIES["delete_events"],
        [waiting.user_id for waiting in events],
        [waiting.id for waiting in events],
    )


async def find_waiting_event(
    connection: ReadConnection, *, subject_id: UUID
) -> WaitingEvent | None:
    """The event about ``subject_id`` that the relay has not moved on yet."""
    row = await connection.fetchrow(QUERIES["find_waiting_event"], subject_id)
    return None if row is None else _read_event(row)


def _wallet_step(waiting: WaitingEvent) -> tuple[int, bool, UUID]:
    is_of_seeds = isinstance(waiting.event, SeedCommitted | SeedRevealed)
    return waiting.sequence, is_of_seeds, waiting.id


def _read_event(row: Record) -> WaitingEvent:
    event_type = _TYPES.get((row["kind"], row["version"]))
    if event_type is None:
        raise Breach(
            f"The outbox holds an event {row['kind']} v{row['version']} that this version does not"
            " know. Start the newer version's worker; nothing is lost meanwhile."
        )
    return WaitingEvent(
        user_id=row["user_id"],
        id=row["id"],
        subject_id=row["subject_id"],
        sequence=row["sequence"],
        event=msgspec.json.decode(row["payload"], type=event_type),
        created_at=row["created_at"],
    )
