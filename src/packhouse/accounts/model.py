"""The things of the accounts room: people, their roles, their sessions.

Law held here: no personal data in logs. What holds an address, a name, a password or a token shows
nothing but its type when it is printed.
"""

from datetime import date, datetime
from typing import Any, Final, Literal, get_args

import msgspec

from packhouse.foundation.identifiers import UserId

Role = Literal["collector", "staff", "owner"]

CLOSED_NAME: Final = "Closed account"
"""What stands where the user name was; no user name has a space."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the fewest rights to the most."""


class Discreet(msgspec.Struct, frozen=True):
    """A struct that may hold personal data, and so keeps its contents out of every log."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Addressee(Discreet, frozen=True):
    """Whom a letter goes to."""

    username: str
    email: str


class User(Discreet, frozen=True):
    """Someone with an account. ``is_anonymous`` hides the name in the feed and nowhere else.

    Once it is closed there is neither name nor address.
    """

    id: UserId
    username: str
    email: str
    role: Role
    is_anonymous: bool
    suspended_at: datetime | None
    suspension_reason: str | None
    created_at: datetime
    closed_at: datetime | None


class UserPage(Discreet, frozen=True):
    """Some accounts, newest first; ``next_cursor`` is the last one's id when there are more."""

    users: tuple[User, ...]
    next_cursor: UserId | None


class SessionUser(Discreet, frozen=True):
    """Who sends a request: the account behind a session that has not expired."""

    user_id: UserId
    username: str
    email: str
    role: Role
    is_anonymous: bool
    suspended_at: datetime | None
    expires_at: datetime

    @property
    def closed_at(self) -> None:
        """Never: an account's sessions end with it."""


class Credentials(Discreet, frozen=True):
    """What a sign-in is checked against: an Argon2id hash in PHC string form."""

    user_id: UserId
    password_hash: str


class NewUser(Discreet, frozen=True):
    """An account about to be made; owners made on the terminal give no birth date."""

    id: UserId
    username: str
    email: str
    password_hash: str
    role: Role
    birth_date: date | None
    created_at: datetime


class NewSession(Discreet, frozen=True):
    """A session about to be stored: the token is for the cookie, its SHA-256 for the table."""

    user_id: UserId
    token: str
    token_hash: bytes
    created_at: datetime
    expires_at: datetime
