"""The house wired together: ``open_house(settings)`` gives flows everything they work with.

A flow takes a ``House`` and a command. Nothing here decides anything; clock and entropy are handed
in so that tests can replace them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import msgspec

from packhouse.accounts import PasswordHasher, SessionReader
from packhouse.catalog import CardShelf
from packhouse.drawlog import NoteSigner
from packhouse.draws import LotPositions, PackShelf
from packhouse.foundation.limits import (
    DATABASE_WAIT_SECONDS_MAX,
    DATABASE_WAITING_MAX,
    OPENING_WAIT_SECONDS_MAX,
    OPENINGS_WAITING_MAX,
)
from packhouse.foundation.time import Clock, utc_now
from packhouse.plumbing.buckets import open_media
from packhouse.plumbing.entropy import Entropy, system_entropy
from packhouse.plumbing.lanes import Lanes
from packhouse.plumbing.mail import Mail, open_mail
from packhouse.plumbing.payments import DemoPayments, PaymentProvider
from packhouse.plumbing.postgres import Database, pool_size_per_web_worker
from packhouse.plumbing.replicas import open_databases
from packhouse.plumbing.sealing import Seal
from packhouse.plumbing.settings import Settings, require_setting
from packhouse.plumbing.storage import Media
from packhouse.plumbing.valkey import Valkey


class House(msgspec.Struct, frozen=True, eq=False):
    """What flows work with; one for each process. ``log_signer`` is None without ``log_key``, and
    ``mail`` where the shop sends no letters.

    Openings stand in ``lanes``; ``reads`` is for what many read at once, each for themselves.
    """

    settings: Settings
    database: Database
    valkey: Valkey
    clock: Clock
    entropy: Entropy
    seal: Seal
    log_signer: NoteSigner | None
    media: Media
    mail: Mail | None
    payments: PaymentProvider | None
    cards: CardShelf
    packs: PackShelf
    passwords: PasswordHasher
    sessions: SessionReader
    lots: LotPositions
    lanes: Lanes
    reads: Lanes


@asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    connections: int | None = None,
    reads_replicas: bool = False,
    clock: Clock = utc_now,
    entropy: Entropy = system_entropy,
) -> AsyncIterator[House]:
    """Open the pipes, and close them at the end. Raises ``DatabaseUnavailable``.

    ``connections`` is the most this process may have to PostgreSQL; a web worker's share if not
    given. Only what ``reads_replicas`` reads from the replicas that the settings name.
    """
    if connections is None:
        connections = pool_size_per_web_worker(
            pool_size=settings.database_pool_size, workers=settings.http_workers
        )
    async with open_databases(
        require_setting(settings.database_url, name="database_url").reveal(),
        [each.reveal() for each in settings.database_replica_urls] if reads_replicas else [],
        pool_size=connections,
        replica_lag_ms_max=settings.replica_lag_ms_max,
        statement_timeout_ms=settings.database_statement_timeout_ms,
        connect_timeout_seconds=settings.database_connect_timeout_seconds,
    ) as database:
        valkey = Valkey(
            require_setting(settings.cache_url, name="cache_url").reveal(),
            timeout_ms=settings.cache_timeout_ms,
        )
        seed_key = require_setting(settings.seed_key, name="seed_key").reveal()
        lanes = Lanes(waiting_max=OPENINGS_WAITING_MAX, wait_seconds_max=OPENING_WAIT_SECONDS_MAX)
        reads = Lanes(waiting_max=DATABASE_WAITING_MAX, wait_seconds_max=DATABASE_WAIT_SECONDS_MAX)
        media = open_media(settings)
        try:
            yield House(
                settings=settings,
                database=database,
                valkey=valkey,
                clock=clock,
                entropy=entropy,
                seal=Seal(seed_key, entropy=entropy),
                log_signer=_log_signer(settings),
                media=media,
                mail=open_mail(settings),
                payments=DemoPayments() if settings.payment_provider == "demo" else None,
                cards=CardShelf(media_url=media.url_of),
                packs=PackShelf(),
                passwords=PasswordHasher(),
                sessions=SessionReader(),
                lots=LotPositions(),
                lanes=lanes,
                reads=reads,
            )
        finally:
            await lanes.finish()
            await reads.finish()
            await valkey.close()


def _log_signer(settings: Settings) -> NoteSigner | None:
    """Signs as the shop's host and ``/log``: where the draw log is, whatever port serves it."""
    if settings.log_key is None:
        return None
    origin = f"{urlsplit(settings.public_url).hostname}/log"
    return NoteSigner(origin, settings.log_key.reveal())
