"""The house wired together: ``open_house(settings)`` gives flows everything they work with.

A flow takes a ``House`` and a command. Nothing here decides anything; clock and entropy are handed
in so that tests can replace them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from packhouse.accounts import PasswordHasher, SessionReader
from packhouse.catalog import CardShelf
from packhouse.draws import PackShelf
from packhouse.foundation.time import Clock, utc_now
from packhouse.plumbing.entropy import Entropy, system_entropy
from packhouse.plumbing.payments import DemoPayments, PaymentProvider
from packhouse.plumbing.postgres import Database, open_database
from packhouse.plumbing.sealing import Seal
from packhouse.plumbing.settings import Settings, pool_size_per_web_worker, require_setting
from packhouse.plumbing.storage import MediaFolder
from packhouse.plumbing.turns import Turns
from packhouse.plumbing.valkey import Valkey


class House(msgspec.Struct, frozen=True, eq=False):
    """What flows work with; one for each process."""

    settings: Settings
    database: Database
    valkey: Valkey
    clock: Clock
    entropy: Entropy
    seal: Seal
    media: MediaFolder
    payments: PaymentProvider | None
    cards: CardShelf
    packs: PackShelf
    passwords: PasswordHasher
    sessions: SessionReader
    turns: Turns


@asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    connections: int | None = None,
    clock: Clock = utc_now,
    entropy: Entropy = system_entropy,
) -> AsyncIterator[House]:
    """Open the pipes, and close them at the end. Raises ``DatabaseUnavailable``.

    ``connections`` is the most this process may have to PostgreSQL; a web worker's share if not
    given.
    """
    if connections is None:
        connections = pool_size_per_web_worker(
            pool_size=settings.database_pool_size, workers=settings.http_workers
        )
    async with open_database(
        require_setting(settings.database_url, name="database_url").reveal(),
        pool_size=connections,
        statement_timeout_ms=settings.database_statement_timeout_ms,
        connect_timeout_seconds=settings.database_connect_timeout_seconds,
    ) as database:
        valkey = Valkey(
            require_setting(settings.cache_url, name="cache_url").reveal(),
            timeout_ms=settings.cache_timeout_ms,
        )
        seed_key = require_setting(settings.seed_key, name="seed_key").reveal()
        try:
            yield House(
                settings=settings,
                database=database,
                valkey=valkey,
                clock=clock,
                entropy=entropy,
                seal=Seal(seed_key, entropy=entropy),
                media=MediaFolder(settings.media_directory),
                payments=DemoPayments() if settings.payment_provider == "demo" else None,
                cards=CardShelf(),
                packs=PackShelf(),
                passwords=PasswordHasher(),
                sessions=SessionReader(),
                turns=Turns(),
            )
        finally:
            await valkey.close()
