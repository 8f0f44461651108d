"""A collector chooses how the feed shows their next pulls: by name, or as "Anonymous"."""

from uuid import UUID

import msgspec

from packhouse import accounts
from packhouse.house import House


class ChooseFeedName(msgspec.Struct, frozen=True):
    """Whose pulls, and whether their name stays out of the feed."""

    user_id: UUID
    is_anonymous: bool


async def choose_feed_name(house: House, command: ChooseFeedName) -> None:
    """Store the choice; what is in the feed stays as it is. Raises ``AccountSuspended``."""
    async with house.database.transaction() as connection:
        user = await accounts.lock_user(connection, command.user_id)
        accounts.require_may_act(user)
        await accounts.update_anonymity(connection, user.id, is_anonymous=command.is_anonymous)
    house.sessions.forget_user(user.id)
