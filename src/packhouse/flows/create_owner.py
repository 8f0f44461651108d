"""The keeper of the server makes an owner of the shop: the first one, or a way back in.

Whoever can run this holds the database's password already, so it asks for no other right; but it
is in the audit log like every act of staff.
"""

from packhouse import accounts
from packhouse.accounts import Discreet, NewUser, User
from packhouse.flows.register import make_account
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry

TERMINAL = "terminal"
"""Stands in the audit log where other acts have the id of their request."""


class CreateOwner(Discreet, frozen=True):
    """What the owner will sign in with, and the name that the audit log will show."""

    email: str
    username: str
    password: str


async def create_owner(house: House, command: CreateOwner) -> User:
    """Make an account with the role ``owner``; registrations need not be open.

    Raises ``InvalidInput`` with every bad field, ``EmailTaken``, ``UsernameTaken``. Lock order:
    e-mail key, user name key; everything else is new.
    """
    accounts.require_valid_account(
        email=command.email, username=command.username, password=command.password
    )
    now = house.clock()
    new_user = NewUser(
        id=UserId(new_id()),
        username=command.username,
        email=command.email.strip(),
        password_hash=await house.passwords.hash_password(command.password),
        role="owner",
        birth_date=None,
        created_at=now,
    )
    async with house.database.transaction() as connection:
        user = await make_account(house, connection, new_user)
        await insert_audit_entry(
            connection,
            actor=Actor(user_id=user.id, username=user.username, request_id=TERMINAL),
            action="create_owner",
            subject=f"user:{user.id}",
            reason=None,
            details={},
            now=now,
        )
    return user
