"""Staff call an operators' page or API address: looks are on record as acts are.

No locks: one insertion, before the call is answered, so that a call that fails is on record too.
"""

import msgspec

from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry


class RecordStaffCall(msgspec.Struct, frozen=True):
    """Who called what: an HTTP method and a path.

    Never the query string: it may hold the address of somebody who was searched for.
    """

    actor: Actor
    method: str
    path: str


async def record_staff_call(house: House, command: RecordStaffCall) -> None:
    """Write the call into the audit log; the flow behind it writes what it did, and why."""
    async with house.database.transaction() as connection:
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="call",
            subject=f"{command.method} {command.path}",
            reason=None,
            details={},
            now=house.clock(),
        )
