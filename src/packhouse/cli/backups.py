"""``packhouse db backup | check-backup | restore``: what a shop needs to survive its disk."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from packhouse.cli.shop import DataOption, plain_errors, progress_lines, shop_settings_for_command
from packhouse.cli.supervisor import StopAsked, stop_signals
from packhouse.flows.check_laws import check_laws
from packhouse.foundation.errors import Outage, Refusal
from packhouse.house import open_house
from packhouse.plumbing.backups import get_newest_backup, make_backup, restore_backup
from packhouse.plumbing.embedded import start_postgres
from packhouse.plumbing.postgres import open_database
from packhouse.plumbing.settings import Settings, load_settings, require_setting

SCRATCH_SETTINGS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""A server that lives for one look; what matters is in the backup."""


class DatabaseNotEmpty(Refusal):
    """A backup is restored into an empty database only."""

    code = "database_not_empty"


class BackupWrong(Outage):
    """A backup was restored, and is not a shop in which every law holds."""

    code = "backup_wrong"


def backup_command(
    *,
    data: DataOption = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="The folder; PACKHOUSE_BACKUP_DIRECTORY when not given."),
    ] = None,
) -> None:
    """Write a backup of the whole database, from one moment, while the shop goes on.

    The keys (PACKHOUSE_SEED_KEY, PACKHOUSE_LOG_KEY) and uploaded pictures are not in it.
    """
    with plain_errors():
        settings = shop_settings_for_command(data)
        made = asyncio.run(
            make_backup(_url(settings), to or settings.backup_directory, now=datetime.now(UTC))
        )
        size = made.path.stat().st_size / 2**20
        progress_lines()(f"{size:,.1f} MiB. Keep the keys and the pictures as well.")
        typer.echo(made.path)


def check_backup_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="The backup; the newest one when not given.", show_default=False),
    ] = None,
    *,
    data: DataOption = None,
) -> None:
    """Restore a backup into a server of its own, look at every law, and throw the server away."""
    with plain_errors(), stop_signals():
        try:
            path = file or get_newest_backup(shop_settings_for_command(data).backup_directory).path
            typer.echo(_check(path.absolute()))
        except StopAsked:
            raise typer.Exit(1) from None


def restore_command(file: Path, *, data: DataOption = None) -> None:
    """Restore a backup into the shop's database, which has to be empty; all of it or nothing."""
    with plain_errors():
        url = _url(shop_settings_for_command(data))
        asyncio.run(_restore(file.absolute(), url))
        typer.echo("Restored. Run `packhouse db migrate`, then start the shop with its own keys.")


def _check(path: Path) -> str:
    with _scratch_folder() as folder:
        server = start_postgres(folder / "postgres", announce=_quietly, settings=SCRATCH_SETTINGS)
        try:
            return asyncio.run(_restore_and_look(path, server.url, folder))
        finally:
            server.stop()


async def _restore_and_look(path: Path, url: str, folder: Path) -> str:
    await restore_backup(path, url)
    async with open_house(_scratch_settings(url, folder), connections=2) as house:
        findings = await check_laws(house)
        async with house.database.connection() as connection:
            users = await connection.fetchval("SELECT count(*) FROM users")
            cards = await connection.fetchval("SELECT count(*) FROM user_cards")
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        told = " ".join(f"{each.law}: {each.evidence}" for each in broken)
        raise BackupWrong(f"{path.name} was restored, and a law does not hold there. {told}")
    return (
        f"{path.name} was restored: {users:,} accounts, {cards:,} cards, and all"
        f" {len(findings)} laws hold."
    )


async def _restore(path: Path, url: str) -> None:
    async with (
        open_database(
            url, pool_size=1, statement_timeout_ms=10_000, connect_timeout_seconds=10
        ) as database,
        database.connection() as connection,
    ):
        if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
            raise DatabaseNotEmpty(
                "The database has tables of a shop already; restore into an empty one, which"
                " PACKHOUSE_DATABASE_URL names."
            )
    await restore_backup(path, url)


def _scratch_settings(url: str, folder: Path) -> Settings:
    return load_settings(
        {},
        dotenv_path=folder / "no.env",
        overrides={
            "database_url": url,
            # Nothing there: the laws are asked of PostgreSQL alone.
            "cache_url": "valkey://127.0.0.1:1",
            "seed_key": "00" * 32,
            "database_statement_timeout_ms": 600_000,
        },
    ).settings


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own account can reach, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="packhouse-restore-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _url(settings: Settings) -> str:
    return require_setting(settings.database_url, name="database_url").reveal()


def _quietly(_: str) -> None:
    """Nobody waits to hear of a scratch server."""
