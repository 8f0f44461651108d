"""Staff stop an account, or lift that again, with a reason.

A suspended account's sessions end on every instance: nobody acts for it, and its owner is told so
at the next sign-in. Cards, credits and parcels stay as they are.
"""

from uuid import UUID

import msgspec

from packhouse import accounts
from packhouse.accounts import User
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry


class SuspendAccount(msgspec.Struct, frozen=True):
    """Whose account, and why; the reason is for staff."""

    actor: Actor
    user_id: UUID
    reason: str


class LiftSuspension(msgspec.Struct, frozen=True):
    """Whose suspension ends, and why."""

    actor: Actor
    user_id: UUID
    reason: str


async def suspend_account(house: House, command: SuspendAccount) -> User:
    """Suspend an account and end its sessions.

    Raises ``Forbidden`` (oneself; an owner, unless by another owner), ``AlreadySuspended``,
    ``AccountClosed``, ``NotFound``, ``InvalidInput``. Lock order: both users, by id.
    """
    reason = accounts.require_reason(command.reason)
    now = house.clock()
    actor_id, user_id = command.actor.user_id, command.user_id
    async with house.database.transaction() as connection:
        users = await accounts.lock_users(connection, {actor_id, user_id})
        accounts.require_may_suspend(users[actor_id], users[user_id])
        accounts.require_not_suspended(users[user_id])
        await accounts.update_suspension(connection, user_id, suspended_at=now, reason=reason)
        await accounts.delete_sessions_of_user(connection, user_id)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="suspend_account",
            subject=f"user:{user_id}",
            reason=reason,
            details={},
            now=now,
        )
    house.sessions.forget_user(user_id)
    return msgspec.structs.replace(users[user_id], suspended_at=now, suspension_reason=reason)


async def lift_suspension(house: House, command: LiftSuspension) -> User:
    """Let an account act again after its next sign-in.

    Raises ``Forbidden``, ``NotSuspended``, ``AccountClosed``, ``NotFound``, ``InvalidInput``. Lock
    order: both users, by id.
    """
    reason = accounts.require_reason(command.reason)
    now = house.clock()
    actor_id, user_id = command.actor.user_id, command.user_id
    async with house.database.transaction() as connection:
        users = await accounts.lock_users(connection, {actor_id, user_id})
        accounts.require_may_suspend(users[actor_id], users[user_id])
        accounts.require_suspended(users[user_id])
        await accounts.update_suspension(connection, user_id, suspended_at=None, reason=None)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="lift_suspension",
            subject=f"user:{user_id}",
            reason=reason,
            details={},
            now=now,
        )
    return msgspec.structs.replace(users[user_id], suspended_at=None, suspension_reason=None)
