"""An owner gives someone another role, with a reason."""

from uuid import UUID

import msgspec

from packhouse import accounts
from packhouse.accounts import Role, User
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry


class ChangeRole(msgspec.Struct, frozen=True):
    """Whose role becomes which, and why."""

    actor: Actor
    user_id: UUID
    role: Role
    reason: str


async def change_role(house: House, command: ChangeRole) -> User:
    """Change the role; sessions stay, and have the new rights (or not the old) within a second.

    Both accounts are locked and the owner's role is read under the lock, so that two owners who
    demote each other at the same moment leave one of them. Raises ``Forbidden``,
    ``AccountClosed``, ``NotFound``, ``InvalidInput``. Lock order: both users, by id.
    """
    reason = accounts.require_reason(command.reason)
    actor_id, user_id = command.actor.user_id, command.user_id
    async with house.database.transaction() as connection:
        users = await accounts.lock_users(connection, {actor_id, user_id})
        accounts.require_may_change_role(users[actor_id], users[user_id])
        await accounts.update_role(connection, user_id, role=command.role)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="change_role",
            subject=f"user:{user_id}",
            reason=reason,
            details={
                "from": users[user_id].role,
                "to": command.role,
            },
            now=house.clock(),
        )
    house.sessions.forget_user(user_id)
    return msgspec.structs.replace(users[user_id], role=command.role)
