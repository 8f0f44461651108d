"""Backups of the shop's database: made whole or not at all, found again by age, tried by restoring.

A backup is a file of `pg_dump` in its custom form, from one snapshot: what was committed when it
began. It holds everything that the shop cannot lose but the two keys (``PACKHOUSE_SEED_KEY``,
``PACKHOUSE_LOG_KEY``) and uploaded pictures, which its owner keeps elsewhere. A backup that nobody
ever restored is a hope, so ``readiness`` restores the newest one.
"""

import asyncio
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit

import msgspec

from packhouse.foundation.errors import NotFound, Outage
from packhouse.plumbing.embedded import get_postgres_clients
from packhouse.plumbing.embedded.children import plain_environment

SUFFIX: Final = ".dump"
_NAME: Final = re.compile(r"packhouse-(\d{8}T\d{6}Z)\.dump")
_STAMP: Final = "%Y%m%dT%H%M%SZ"


class BackupFailed(Outage):
    """A backup could not be made or restored; the message has PostgreSQL's own words."""

    code: ClassVar[str] = "backup_failed"


class Backup(msgspec.Struct, frozen=True):
    """One file, and when it was begun."""

    path: Path
    begun_at: datetime


def list_backups(folder: Path) -> list[Backup]:
    """The backups in a folder, the newest first; none where there is no such folder."""
    found = []
    if folder.is_dir():
        for path in folder.iterdir():
            named = _NAME.fullmatch(path.name)
            if named is not None:
                begun_at = datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC)
                found.append(Backup(path=path, begun_at=begun_at))
    return sorted(found, key=lambda each: each.begun_at, reverse=True)


def get_newest_backup(folder: Path) -> Backup:
    """The newest one. Raises ``NotFound``."""
    backups = list_backups(folder)
    if not backups:
        raise NotFound(f"There is no backup in {folder}; make one with `packhouse db backup`.")
    return backups[0]


async def make_backup(database_url: str, folder: Path, *, now: datetime) -> Backup:
    """Write a backup into ``folder``, made when missing. Raises ``BackupFailed``.

    Readers and writers go on meanwhile. The file has its name only when it is complete and synced.
    """
    _make_folder(folder)
    final = folder / f"packhouse-{now.astimezone(UTC):{_STAMP}}{SUFFIX}"
    unfinished = final.with_suffix(".unfinished")
    try:
        await run_client(
            "pg_dump",
            ["--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}"],
            database_url,
        )
        unfinished.chmod(0o600)
        unfinished.replace(final)
    finally:
        unfinished.unlink(missing_ok=True)
    return Backup(path=final, begun_at=now)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BackupFailed(f"{folder} cannot be made: {error.strerror}.") from error


async def restore_backup(path: Path, database_url: str) -> None:
    """Restore a backup into an empty database, all of it or nothing. Raises ``BackupFailed``."""
    await run_client(
        "pg_restore",
        [
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",
            "--no-privileges",
            "--dbname=" + urlsplit(database_url).path.lstrip("/"),
            str(path),
        ],
        database_url,
        names_database=False,
    )


async def run_client(
    program: str, arguments: Sequence[str], database_url: str, *, names_database: bool = True
) -> None:
    """Run a client of PostgreSQL; the password goes by the environment, where no list shows it."""
    url = urlsplit(database_url)
    secret = {
        "PGPASSWORD": unquote(url.password or ""),
        "PGHOST": url.hostname or "",
        "PGPORT": str(url.port or 5432),
        "PGUSER": unquote(url.username or ""),
        "PGCONNECT_TIMEOUT": "10",
    }
    if names_database:
        secret["PGDATABASE"] = url.path.lstrip("/")
    child = await asyncio.create_subprocess_exec(
        get_postgres_clients() / program,
        *arguments,
        env=plain_environment(secret),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=os.sep,
    )
    try:
        _, words = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        last = words.decode(errors="replace").strip().splitlines()
        raise BackupFailed(f"{program} failed: {last[-1] if last else child.returncode}.")
