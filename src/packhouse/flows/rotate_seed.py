"""A collector rotates the seed pair: the old server seed is revealed, a fresh one committed to.

The shop does the same by itself when a pair has been in use for long; see ``reveal_due_seeds``.
Lock order: the wallet, which openings step on by compare-and-swap; so no opening can be decided
under a seed that is already public.
"""

from datetime import datetime

import msgspec

from packhouse import accounts, draws, wallet
from packhouse.draws import SeedPair
from packhouse.flows.announcements import seed_committed, seed_revealed
from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import UserId
from packhouse.house import House
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.postgres import Connection
from packhouse.wallet import Wallet


class RotatedSeed(msgspec.Struct, frozen=True):
    """The pair that ended, with its secret, and the pair that begins."""

    revealed: SeedPair
    current: SeedPair


class CurrentSeed(msgspec.Struct, frozen=True):
    """The pair in force and how many packs were opened under it."""

    pair: SeedPair
    nonce: int


async def find_current_seed(house: House, user_id: UserId) -> CurrentSeed:
    """What is committed to just now."""
    async with house.database.connection() as connection:
        purse = await wallet.find_wallet(connection, user_id)
        if purse is None:
            raise Breach(f"The user {user_id} has no wallet.")
        pair = await draws.find_seed_pair(
            connection, user_id=user_id, seed_pair_id=purse.seed_pair_id
        )
    if pair is None:
        raise Breach(f"The seed pair in force of {user_id} does not exist.")
    return CurrentSeed(pair=pair, nonce=purse.nonce)


async def store_client_seed(house: House, user_id: UserId, client_seed: str) -> CurrentSeed:
    """Keep a client seed for openings that bring none. Raises ``InvalidInput``."""
    draws.require_client_seed(client_seed)
    async with house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, user_id)
        accounts.require_may_act(await accounts.find_user(connection, user_id))
        await draws.update_client_seed(
            connection, user_id=user_id, seed_pair_id=purse.seed_pair_id, client_seed=client_seed
        )
    return await find_current_seed(house, user_id)


async def rotate_seed(house: House, user_id: UserId) -> RotatedSeed:
    """End the pair in force and begin a fresh one with the same client seed."""
    now = house.clock()
    async with house.database.transaction() as connection:
        purse = await wallet.lock_wallet(connection, user_id)
        accounts.require_may_act(await accounts.find_user(connection, user_id))
        return await end_seed_pair(house, connection, purse, now=now)


async def end_seed_pair(
    house: House, connection: Connection, purse: Wallet, *, now: datetime
) -> RotatedSeed:
    """Reveal the pair in force of a wallet that this transaction has locked, and begin a fresh one.

    The fresh pair keeps the stored client seed.
    """
    ended = await draws.find_seed_pair(
        connection, user_id=purse.user_id, seed_pair_id=purse.seed_pair_id
    )
    sealed = await draws.find_sealed_server_seed(
        connection, user_id=purse.user_id, seed_pair_id=purse.seed_pair_id
    )
    if ended is None or sealed is None:
        raise Breach(f"The seed pair in force of {purse.user_id} does not exist.")
    server_seed = house.seal.open(sealed, context=purse.seed_pair_id.bytes)
    await draws.reveal_seed_pair(
        connection,
        user_id=purse.user_id,
        seed_pair_id=purse.seed_pair_id,
        server_seed=server_seed,
        openings=purse.nonce,
        now=now,
    )
    fresh = draws.new_seed_pair(
        purse.user_id, house.entropy, house.seal, now, client_seed=ended.client_seed
    )
    await draws.insert_seed_pair(connection, fresh)
    await wallet.replace_seed_pair(connection, user_id=purse.user_id, seed_pair_id=fresh.id)
    revealed = seed_revealed(
        ended,
        user_id=purse.user_id,
        server_seed=server_seed,
        openings=purse.nonce,
        sequence=purse.sequence,
        now=now,
    )
    committed = seed_committed(fresh, sequence=purse.sequence, now=now)
    await insert_events(connection, [revealed, committed])
    return RotatedSeed(
        revealed=msgspec.structs.replace(
            ended, revealed_at=now, server_seed=server_seed, openings=purse.nonce
        ),
        current=SeedPair(
            id=fresh.id,
            commitment=fresh.commitment,
            user_key=fresh.user_key,
            client_seed=fresh.client_seed,
            created_at=now,
            first_used_at=None,
            revealed_at=None,
            server_seed=None,
            openings=None,
        ),
    )
