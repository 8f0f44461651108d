"""The engine, its pool, and the tables that this server uses, as mapped classes."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from settings import CONNECTIONS, DATABASE_URL
from sqlalchemy import BigInteger, DateTime, SmallInteger
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# asyncpg prepares each statement once on a connection; the dialect keeps a hundred of them.
engine = create_async_engine(DATABASE_URL, pool_size=CONNECTIONS, max_overflow=0)
Transactions = async_sessionmaker(engine, expire_on_commit=False)
# A page is one or two reads, which need no transaction around them.
Reads = async_sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"))

Key = Annotated[UUID, mapped_column(primary_key=True)]
TextKey = Annotated[str, mapped_column(primary_key=True)]
Amount = Annotated[int, mapped_column(BigInteger)]
AmountKey = Annotated[int, mapped_column(BigInteger, primary_key=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Table(DeclarativeBase):
    """What all mapped classes have in common."""


class User(Table):
    __tablename__ = "users"

    id: Mapped[Key]
    username: Mapped[str]
    role: Mapped[str]
    is_anonymous: Mapped[bool]
    suspended_at: Mapped[Moment | None]


class SignIn(Table):
    __tablename__ = "sessions"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    expires_at: Mapped[Moment]


class Wallet(Table):
    __tablename__ = "wallets"

    user_id: Mapped[Key]
    balance: Mapped[Amount]
    sequence: Mapped[Amount]
    seed_pair_id: Mapped[UUID]
    nonce: Mapped[Amount]


class LedgerEntry(Table):
    __tablename__ = "ledger_entries"

    user_id: Mapped[Key]
    sequence: Mapped[AmountKey]
    kind: Mapped[str]
    amount: Mapped[Amount]
    balance_after: Mapped[Amount]
    counterparty: Mapped[str]
    reference: Mapped[UUID]
    created_at: Mapped[Moment]


class SeedPair(Table):
    __tablename__ = "seed_pairs"

    user_id: Mapped[Key]
    id: Mapped[Key]
    sealed_server_seed: Mapped[bytes]
    commitment: Mapped[bytes]
    user_key: Mapped[bytes]
    client_seed: Mapped[str]
    first_used_at: Mapped[Moment | None]


class Opening(Table):
    __tablename__ = "openings"

    user_id: Mapped[Key]
    id: Mapped[Key]
    pack_version_id: Mapped[UUID]
    seed_pair_id: Mapped[UUID]
    nonce: Mapped[Amount]
    price: Mapped[Amount]
    receipt: Mapped[str]
    created_at: Mapped[Moment]


class UserCard(Table):
    __tablename__ = "user_cards"

    user_id: Mapped[Key]
    id: Mapped[Key]
    card_id: Mapped[UUID]
    stock_item_id: Mapped[UUID | None]
    opening_id: Mapped[UUID]
    tier: Mapped[str]
    value: Mapped[Amount]
    state: Mapped[str]
    sell_back_amount: Mapped[Amount]
    sell_back_until: Mapped[Moment]
    created_at: Mapped[Moment]


class StockItem(Table):
    __tablename__ = "stock_items"

    card_id: Mapped[Key]
    id: Mapped[Key]
    place: Mapped[str]
    lot_id: Mapped[UUID | None]
    updated_at: Mapped[Moment]


class RecordedAnswer(Table):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[Key]
    route: Mapped[TextKey]
    key: Mapped[TextKey]
    request_hash: Mapped[bytes]
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[str]
    created_at: Mapped[Moment]


class WaitingEvent(Table):
    __tablename__ = "outbox"

    user_id: Mapped[Key]
    id: Mapped[Key]
    kind: Mapped[str]
    version: Mapped[int] = mapped_column(SmallInteger)
    subject_id: Mapped[UUID]
    sequence: Mapped[Amount]
    payload: Mapped[str]
    created_at: Mapped[Moment]


class Card(Table):
    __tablename__ = "cards"

    id: Mapped[Key]
    set_name: Mapped[str]
    number: Mapped[str]
    name: Mapped[str]
    picture: Mapped[str | None]


class Pack(Table):
    __tablename__ = "packs"

    id: Mapped[Key]
    slug: Mapped[str]
    current_version_id: Mapped[UUID | None]
    withdrawn_at: Mapped[Moment | None]


class PackVersion(Table):
    __tablename__ = "pack_versions"

    id: Mapped[Key]
    config: Mapped[str]
    config_hash: Mapped[bytes]


class PackPause(Table):
    __tablename__ = "pack_pauses"

    pack_id: Mapped[Key]
    card_id: Mapped[Key]
    created_at: Mapped[Moment]


class Pull(Table):
    __tablename__ = "global_feed"

    sequence: Mapped[AmountKey]
    username: Mapped[str]
    card: Mapped[str]
    tier: Mapped[str]
    value: Mapped[Amount]
    pack: Mapped[str]
    opening_id: Mapped[UUID]
    created_at: Mapped[Moment]


async def transaction() -> AsyncIterator[AsyncSession]:
    """A session whose work its route commits."""
    async with Transactions() as session:
        yield session


async def reads() -> AsyncIterator[AsyncSession]:
    """A session for reading only."""
    async with Reads() as session:
        yield session
