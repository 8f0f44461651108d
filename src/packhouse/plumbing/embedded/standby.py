"""A streaming replica for one machine: the primary's cluster copied while it runs, and following.

Nothing of the shop needs one; benchmarks and tests make real ones with it.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packhouse.plumbing.embedded.children import EmbeddedServer, last_words, plain_environment
from packhouse.plumbing.embedded.errors import EmbeddedServerError, disk_troubles
from packhouse.plumbing.embedded.places import (
    FALLBACK_ROOT,
    Announce,
    find_account,
    find_home,
    hold_directory,
    write_private,
)
from packhouse.plumbing.embedded.postgres import start_postgres
from packhouse.plumbing.embedded.programs import get_postgres_clients

COPY_SECONDS_MAX: Final = 3600.0


def start_standby(
    directory: Path,
    *,
    primary_url: str,
    announce: Announce,
    settings: Mapping[str, str] | None = None,
    fallback_root: Path = FALLBACK_ROOT,
) -> EmbeddedServer:
    """Start a replica of the server at ``primary_url``, copied into ``directory`` the first time.

    ``primary_url`` names an account that may replicate, and a database that the replica's own
    address names too. Call it from the main thread. Raises an ``EmbeddedServerError``.
    """
    hold = hold_directory(directory)
    try:
        home = find_home(directory, fallback_root=fallback_root, announce=announce)
        if not (home / "cluster").exists():
            announce(f"Copying the PostgreSQL cluster into {home / 'cluster'} …")
            copy_cluster(home / "cluster", primary_url=primary_url)
            write_private(directory / "password", f"{urlsplit(primary_url).password}\n")
    finally:
        hold.release()
    return start_postgres(
        directory,
        announce=announce,
        superuser=urlsplit(primary_url).username or "",
        database=urlsplit(primary_url).path.lstrip("/"),
        settings=settings,
        fallback_root=fallback_root,
    )


def copy_cluster(path: Path, *, primary_url: str) -> None:
    """``pg_basebackup`` beside the final place, moved there when it is complete."""
    url = urlsplit(primary_url)
    account = find_account(cluster=path)
    unfinished = path.with_name("cluster.new")
    with disk_troubles(path):
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
    outcome = subprocess.run(  # noqa: S603 - a fixed command
        [
            get_postgres_clients() / "pg_basebackup",
            f"--host={url.hostname}",
            f"--port={url.port or 5432}",
            f"--username={unquote(url.username or '')}",
            "--no-password",
            f"--pgdata={unfinished}",
            "--write-recovery-conf",
            "--checkpoint=fast",
        ],
        cwd="/",
        # By the environment, where no list of programs shows it.
        env=plain_environment({"PGPASSWORD": unquote(url.password or "")}),
        capture_output=True,
        text=True,
        timeout=COPY_SECONDS_MAX,
        check=False,
    )
    if outcome.returncode != 0:
        raise EmbeddedServerError(f"PostgreSQL was not copied: {last_words(outcome.stderr)}.")
    with disk_troubles(path):
        if account is not None:
            for each in (unfinished, *unfinished.rglob("*")):
                os.chown(each, account.uid, account.gid, follow_symlinks=False)
        unfinished.rename(path)
