"""Somebody closes their own account, for good.

Nothing is owed afterwards, either way: parcels have arrived, the vault and the wallet are empty, or
what is in them is given up, by its exact number. What was given up goes to the house, as a movement
of the ledger and of stock like any other.

The account stays as a tombstone, because ledger, openings, parcels, audit log and proofs hang on
its id; whatever tells whose it was goes in the same transaction, and the seed pair in force is
revealed as by ``rotate_seed``. So an opening that was decided before finds another pair in force,
is decided anew, and finds nobody. Only of somebody with very many openings a part of the feed is
left to the sweep; see ``erase_feed_names``.

Lock order: the wallet · the user, of an owner all owners, by id · user cards · stock items by card
id · the relay · waiting events · pulls.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from packhouse import accounts, catalog, draws, feed, shipping, vault, wallet
from packhouse.accounts import Discreet, User
from packhouse.feed import FeedErasure
from packhouse.flows.erase_feed_names import erase_newest_names
from packhouse.flows.money_events import record_movements
from packhouse.flows.rotate_seed import end_seed_pair
from packhouse.flows.settle_openings import ANONYMOUS
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import UserId, new_id
from packhouse.foundation.limits import BALANCE_MAX_MINOR
from packhouse.house import House
from packhouse.plumbing.audit import Actor, has_audit_entries, insert_audit_entry
from packhouse.plumbing.idempotency import Repeat, delete_answers, find_answer, insert_answers
from packhouse.plumbing.outbox import hold_relay, rename_in_events
from packhouse.plumbing.postgres import Connection
from packhouse.wallet import Movement, Wallet

Forfeited = Annotated[int, msgspec.Meta(ge=0, le=BALANCE_MAX_MINOR)]


class Forfeit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is given up with the account: credits in minor units, and how many cards."""

    credits: Forfeited = 0
    cards: Forfeited = 0


class CloseAccount(Discreet, frozen=True):
    """Whose account, with its password; ``actor`` is the same person, for the audit log."""

    user_id: UserId
    password: str
    forfeit: Forfeit
    actor: Actor
    repeat: Repeat


class ClosedAccount(msgspec.Struct, frozen=True):
    """The answer: what was given up, and the seed pair that ended, with its secret.

    Bytes are hexadecimal; ``openings`` counts the packs that were opened under the pair.
    """

    closed_at: datetime
    forfeited: Forfeit
    commitment: str
    user_key: str
    server_seed: str
    openings: int


async def close_account(house: House, command: CloseAccount) -> ClosedAccount:
    """Close the account. Raises ``BadCredentials`` for a wrong password, ``ParcelsUnderway``,
    ``CardsLeft``, ``CreditsLeft``, ``LastOwner``, ``NotSignedIn``, ``AccountSuspended``.
    """
    async with house.database.connection() as connection:
        answer = await find_answer(connection, command.repeat, ClosedAccount)
    if answer is not None:
        return answer
    await _require_password(house, command)
    now = house.clock()
    async with house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, command.user_id)
        answer = await find_answer(connection, command.repeat, ClosedAccount)
        if answer is not None:
            return answer
        users = await accounts.lock_user_with_owners(connection, command.user_id)
        user = users[command.user_id]
        accounts.require_may_close(user, [each for each in users.values() if each.role == "owner"])
        shipping.require_none_underway(
            await shipping.count_underway_requests(connection, command.user_id)
        )
        await _forfeit_cards(connection, command, now=now)
        purse = await _forfeit_credits(connection, purse, command.forfeit.credits, now=now)
        ended = (await end_seed_pair(house, connection, purse, now=now)).revealed
        if ended.server_seed is None:
            raise Breach(f"The seed pair {ended.id} ended and is not revealed.")
        await _erase_person(connection, user, command, now=now)
        await _erase_feed_name(connection, command.user_id, now=now)
        answer = ClosedAccount(
            closed_at=now,
            forfeited=command.forfeit,
            commitment=ended.commitment.hex(),
            user_key=ended.user_key.hex(),
            server_seed=ended.server_seed.hex(),
            openings=purse.nonce,
        )
        await insert_answers(connection, [(command.repeat, answer)], now=now)
    house.sessions.forget_user(command.user_id)
    return answer


async def _require_password(house: House, command: CloseAccount) -> None:
    # Before the transaction: nobody waits for a lock while a hash is made.
    async with house.database.connection() as connection:
        user = accounts.require_may_act(await accounts.find_user(connection, command.user_id))
        credentials = await accounts.find_credentials(connection, email=user.email)
    is_right = await house.passwords.is_right(
        command.password, password_hash=None if credentials is None else credentials.password_hash
    )
    if not is_right:
        raise accounts.BadCredentials("This is not your password; nothing was done.")


async def _forfeit_cards(connection: Connection, command: CloseAccount, *, now: datetime) -> None:
    counts = await vault.count_user_cards(connection, command.user_id)
    held = sum(cards for (_, state), cards in counts.items() if state == "vaulted")
    vault.require_forfeited(cards=held, forfeited=command.forfeit.cards)
    if not held:
        return
    given_up = await vault.forfeit_user_cards(connection, command.user_id)
    copies = [(card_id, item_id) for card_id, item_id in given_up if item_id is not None]
    moved = await catalog.move_stock_items(
        connection, copies, from_places=["vaulted"], to_place="house", now=now
    )
    if len(given_up) != held or len(moved) != len(copies):
        raise Breach("A vaulted card's copy is not in the vault.")


async def _forfeit_credits(
    connection: Connection, purse: Wallet, forfeited: int, *, now: datetime
) -> Wallet:
    """Empty the wallet; gives it as it is then."""
    wallet.require_forfeited(balance=purse.balance, forfeited=forfeited)
    forfeiture_id = new_id()
    movements = [Movement("forfeiture", -forfeited, forfeiture_id)]
    change = wallet.settle(purse, movements, now=now)
    await wallet.apply_change(connection, change, now=now)
    await record_movements(connection, change, movements, subject_id=forfeiture_id, now=now)
    return msgspec.structs.replace(purse, balance=change.balance, sequence=change.sequence)


async def _erase_person(
    connection: Connection, user: User, command: CloseAccount, *, now: datetime
) -> None:
    """Take everything that tells who it was from all that stays.

    Who acted as staff stays in the audit log by name, and nobody else can take that name.
    """
    if user.role != "collector":
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="close_account",
            subject=f"user:{user.id}",
            reason=None,
            details={},
            now=now,
        )
    has_acted = await has_audit_entries(connection, user.id)
    await accounts.close_user(connection, user, keeps_username=has_acted, now=now)
    await accounts.delete_sessions_of_user(connection, user.id)
    await shipping.erase_addresses(connection, user.id)
    await draws.erase_client_seeds(connection, user.id)
    await delete_answers(connection, user.id)


async def _erase_feed_name(connection: Connection, user_id: UserId, *, now: datetime) -> None:
    # From here on the relay has moved on all of this user's events, or will find no name in them.
    await hold_relay(connection)
    await rename_in_events(connection, user_id, username=ANONYMOUS)
    last = await erase_newest_names(connection, user_id, before=None)
    if last is not None:
        await feed.insert_feed_erasure(connection, FeedErasure(user_id, last), now=now)
