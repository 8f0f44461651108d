"""What the wallet keeps in PostgreSQL; each function runs the query of its own name."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from packhouse.foundation.errors import Breach
from packhouse.foundation.identifiers import SeedPairId, UserId
from packhouse.plumbing.postgres import Connection, ReadConnection
from packhouse.plumbing.queries import load_queries
from packhouse.wallet.model import HousePosting, LedgerEntry, TopUp, Wallet, WalletChange

QUERIES = load_queries("packhouse.wallet")


async def insert_wallet(
    connection: Connection, *, user_id: UserId, seed_pair_id: SeedPairId
) -> None:
    """A new user's empty wallet, with the first seed pair in force."""
    await connection.execute(QUERIES["insert_wallet"], user_id, seed_pair_id)


async def find_wallet(connection: ReadConnection, user_id: UserId) -> Wallet | None:
    """The wallet as it is."""
    row = await connection.fetchrow(QUERIES["find_wallet"], user_id)
    return None if row is None else Wallet(**row)


async def list_balances(
    connection: ReadConnection, user_ids: Sequence[UserId]
) -> Mapping[UserId, int]:
    """What each of these users has just now."""
    rows = await connection.fetch(QUERIES["list_balances"], user_ids)
    return {row["user_id"]: row["balance"] for row in rows}


async def lock_wallet(connection: Connection, user_id: UserId) -> Wallet:
    """The wallet, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES["lock_wallet"], user_id)
    if row is None:
        raise Breach(f"The user {user_id} has no wallet.")
    return Wallet(**row)


async def advance_wallets(
    connection: Connection, changes: Sequence[WalletChange], *, now: datetime
) -> set[UserId]:
    """Step wallets on and write their entries; gives the users whose wallet had not moved since.

    In the order of the users' ids, and so are the locks. Callers with a change that was not made
    must roll back or leave nothing of it behind.
    """
    if not changes:
        return set()
    changes = sorted(changes, key=lambda change: change.wallet.user_id.bytes)
    rows = await connection.fetch(
        QUERIES["advance_wallets"],
        [change.wallet.user_id for change in changes],
        [change.wallet.seed_pair_id for change in changes],
        [change.wallet.sequence for change in changes],
        [change.wallet.nonce for change in changes],
        [change.amount for change in changes],
        [len(change.entries) for change in changes],
        [change.nonces for change in changes],
    )
    advanced = {row["user_id"] for row in rows}
    made = [change for change in changes if change.wallet.user_id in advanced]
    await _insert_ledger_entries(
        connection,
        [(change.wallet.user_id, entry) for change in made for entry in change.entries],
        now=now,
    )
    return advanced


async def apply_change(connection: Connection, change: WalletChange, *, now: datetime) -> None:
    """Step one wallet on that this transaction holds by ``lock_wallet``."""
    if not await advance_wallets(connection, [change], now=now):
        raise Breach(f"The locked wallet of {change.wallet.user_id} moved all the same.")


async def list_ledger_entries(
    connection: ReadConnection, *, user_id: UserId, before: int | None, limit: int
) -> list[LedgerEntry]:
    """Entries, newest first, with sequences below ``before``."""
    rows = await connection.fetch(QUERIES["list_ledger_entries"], user_id, before, limit)
    return [LedgerEntry(**row) for row in rows]


async def replace_seed_pair(
    connection: Connection, *, user_id: UserId, seed_pair_id: SeedPairId
) -> None:
    """Put a fresh seed pair in force; the nonce starts again."""
    await connection.execute(QUERIES["replace_seed_pair"], user_id, seed_pair_id)


async def insert_top_up(connection: Connection, *, user_id: UserId, top_up: TopUp) -> None:
    """Write a purchase of credits."""
    await connection.execute(
        QUERIES["insert_top_up"],
        user_id,
        top_up.id,
        top_up.amount,
        top_up.provider,
        top_up.provider_ref,
        top_up.status,
        top_up.checkout_url,
        top_up.created_at,
        top_up.completed_at,
    )


async def post_house_entries(
    connection: Connection, postings: Sequence[HousePosting], *, batch_id: UUID, now: datetime
) -> None:
    """Enter the house's side of a batch of events; one posting for each account."""
    postings = sorted(postings, key=lambda posting: posting.account)
    rows = await connection.fetch(
        QUERIES["advance_house_accounts"],
        [posting.account for posting in postings],
        [posting.amount for posting in postings],
    )
    stands = {row["name"]: row for row in rows}
    await connection.execute(
        QUERIES["insert_house_entries"],
        [posting.account for posting in postings],
        [stands[posting.account]["sequence"] for posting in postings],
        [posting.amount for posting in postings],
        [stands[posting.account]["balance"] for posting in postings],
        [posting.events for posting in postings],
        batch_id,
        now,
    )


async def list_house_accounts(connection: ReadConnection) -> dict[str, int]:
    """The house's balances by account, in minor units."""
    rows = await connection.fetch(QUERIES["list_house_accounts"])
    return {row["name"]: row["balance"] for row in rows}


async def _insert_ledger_entries(
    connection: Connection, entries: Sequence[tuple[UserId, LedgerEntry]], *, now: datetime
) -> None:
    if not entries:
        return
    await connection.execute(
        QUERIES["insert_ledger_entries"],
        [user_id for user_id, _ in entries],
        [entry.sequence for _, entry in entries],
        [entry.kind for _, entry in entries],
        [entry.amount for _, entry in entries],
        [entry.balance_after for _, entry in entries],
        [entry.counterparty for _, entry in entries],
        [entry.reference for _, entry in entries],
        now,
    )
