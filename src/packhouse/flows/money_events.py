"""The event that tells the house's side of movements, written by every flow that moves credits."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from packhouse import wallet
from packhouse.foundation.events import MoneyMoved, WaitingEvent
from packhouse.foundation.identifiers import new_id
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection
from packhouse.wallet import Movement, WalletChange


async def record_movements(
    connection: Connection,
    change: WalletChange,
    movements: Sequence[Movement],
    *,
    subject_id: UUID,
    now: datetime,
) -> None:
    """Write ``MoneyMoved`` for movements of anything; nothing for movements of nothing."""
    postings = wallet.postings_of(movements)
    if not postings:
        return
    event = WaitingEvent(
        user_id=change.wallet.user_id,
        id=new_id(),
        subject_id=subject_id,
        sequence=change.sequence,
        event=MoneyMoved(postings=postings),
        created_at=now,
    )
    await insert_events(connection, [event])
