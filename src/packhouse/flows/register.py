"""A collector makes an account: checked, stored with its wallet and first seed pair, signed in."""

from datetime import date

from packhouse import accounts, draws, wallet
from packhouse.accounts import Discreet, NewUser, User
from packhouse.flows.announcements import seed_committed
from packhouse.flows.sign_in import SignedIn, start_session
from packhouse.foundation.events import AccountRegistered, WaitingEvent
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.house import House
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection
from packhouse.plumbing.shop_settings import find_shop_settings


class Register(Discreet, frozen=True, forbid_unknown_fields=True):
    """What a new collector types."""

    email: str
    username: str
    password: str
    birth_date: date


async def register(house: House, command: Register) -> SignedIn:
    """Make the account and sign its owner in; all of it or nothing.

    Raises ``InvalidInput`` with every bad field, ``RegistrationsClosed``, ``EmailTaken``,
    ``UsernameTaken``. Lock order: e-mail key, user name key; everything else is new.
    """
    now = house.clock()
    accounts.require_valid_registration(
        email=command.email,
        username=command.username,
        password=command.password,
        birth_date=command.birth_date,
        today=now.date(),
        minimum_age_years=house.settings.minimum_age_years,
    )
    await _require_registrations_open(house)
    new_user = NewUser(
        id=UserId(new_id()),
        username=command.username,
        email=command.email.strip(),
        password_hash=await house.passwords.hash_password(command.password),
        role="collector",
        birth_date=command.birth_date,
        created_at=now,
    )
    async with house.database.transaction() as connection:
        user = await make_account(house, connection, new_user)
        await insert_events(connection, [_registered(new_user)])
        return await start_session(house, connection, user)


async def make_account(house: House, connection: Connection, new_user: NewUser) -> User:
    """Store the account, an empty wallet and its first seed pair in the caller's transaction."""
    await accounts.insert_user(connection, new_user)
    pair = draws.new_seed_pair(
        user_id=new_user.id, entropy=house.entropy, seal=house.seal, now=new_user.created_at
    )
    await draws.insert_seed_pair(connection, pair)
    await wallet.insert_wallet(connection, user_id=new_user.id, seed_pair_id=pair.id)
    committed = seed_committed(pair, sequence=0, now=new_user.created_at)
    await insert_events(connection, [committed])
    return await accounts.lock_user(connection, new_user.id)


def _registered(new_user: NewUser) -> WaitingEvent:
    return WaitingEvent(
        user_id=new_user.id,
        id=new_id(),
        subject_id=new_user.id,
        sequence=0,
        event=AccountRegistered(),
        created_at=new_user.created_at,
    )


async def _require_registrations_open(house: House) -> None:
    # Before the password is hashed, so that a closed door costs nothing.
    async with house.database.connection() as connection:
        shop_settings = await find_shop_settings(connection)
    if not shop_settings.registrations_open:
        raise accounts.RegistrationsClosed("This shop takes no new accounts at the moment.")
