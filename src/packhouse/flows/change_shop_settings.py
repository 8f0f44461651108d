"""Staff change how the shop runs today: maintenance, and whether new accounts are taken.

All switches are written together, as the operator saw them, so of two changes at once the later
one stands as a whole. Locks: the rows of ``settings``, in one order.
"""

import msgspec

from packhouse import accounts
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.shop_settings import (
    ShopSettings,
    find_shop_settings,
    update_shop_settings,
)


class ChangeShopSettings(msgspec.Struct, frozen=True):
    """What the switches shall be, by whom; a reason where there is one to tell."""

    settings: ShopSettings
    actor: Actor
    reason: str | None = None


async def change_shop_settings(house: House, command: ChangeShopSettings) -> ShopSettings:
    """Set every switch. Raises ``Forbidden`` unless the actor is staff or an owner."""
    reason = None if command.reason is None else accounts.require_reason(command.reason)
    now = house.clock()
    async with house.database.transaction() as connection:
        acting = await accounts.find_user(connection, command.actor.user_id)
        accounts.require_role(acting, "staff", "owner")
        before = await find_shop_settings(connection)
        await update_shop_settings(connection, command.settings, now=now)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="change_shop_settings",
            subject="settings",
            reason=reason,
            details={
                "from": msgspec.to_builtins(before),
                "to": msgspec.to_builtins(command.settings),
            },
            now=now,
        )
    return command.settings
