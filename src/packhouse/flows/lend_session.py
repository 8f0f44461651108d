"""An owner's session is lent to a check of readiness, for a minute, without anybody's password.

Whoever may do this reads and writes the database anyway; the loan is in the audit log all the same.
No locks: a session of the owner's that is one too many is dropped at the next sign-in.
"""

from typing import ClassVar, Final

from packhouse import accounts
from packhouse.foundation.errors import NotFound
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry

LENT_SECONDS: Final = 60


class NoOwner(NotFound):
    """The shop has nobody whose session could be lent."""

    code: ClassVar[str] = "no_owner"


async def lend_session(house: House, *, reason: str) -> str:
    """The token of a new session of the first owner; ``sign_out`` ends it. Raises ``NoOwner``."""
    now = house.clock()
    async with house.database.transaction() as connection:
        owner = await accounts.find_first_owner(connection)
        if owner is None:
            raise NoOwner("The shop has no owner; make one with `packhouse owner create`.")
        owner_id, username = owner
        session = accounts.new_session(
            owner_id, entropy=house.entropy, now=now, ttl_seconds=LENT_SECONDS
        )
        await accounts.insert_session(connection, session)
        await insert_audit_entry(
            connection,
            actor=Actor(user_id=owner_id, username=username, request_id="readiness"),
            action="lend_session",
            subject=f"user:{owner_id}",
            reason=reason,
            details={"seconds": LENT_SECONDS},
            now=now,
        )
    return session.token
