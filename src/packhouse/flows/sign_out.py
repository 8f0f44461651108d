"""Someone signs out: the session is over, here at once and on every instance within a second."""

import msgspec

from packhouse import accounts
from packhouse.house import House


class SignOut(msgspec.Struct, frozen=True):
    """Which session to end: the SHA-256 of its token."""

    token_hash: bytes


async def sign_out(house: House, command: SignOut) -> None:
    """End the session; ending it twice, or one that never was, is no error."""
    async with house.database.transaction() as connection:
        await accounts.delete_session(connection, token_hash=command.token_hash)
    house.sessions.forget(command.token_hash)
