"""PostgreSQL for one machine: a cluster made on the first start, served to 127.0.0.1 only.

What is answered stays: fsync, synchronous commit and full-page writes keep PostgreSQL's safe
defaults, and a start after any kind of death is a plain recovery. Tests may say otherwise in
``settings``.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from packhouse.plumbing.embedded.children import (
    EmbeddedServer,
    has_ended,
    keep_log_short,
    last_words,
    launch_child,
    plain_environment,
    read_log,
    stop_child,
)
from packhouse.plumbing.embedded.errors import (
    DirectoryHeld,
    DirectoryUnusable,
    EmbeddedServerError,
    disk_full,
    disk_troubles,
    has_room,
)
from packhouse.plumbing.embedded.places import (
    FALLBACK_ROOT,
    Account,
    Announce,
    find_account,
    find_home,
    hold_directory,
    keep_password,
    read_text,
    write_private,
)
from packhouse.plumbing.embedded.ports import choose_port, port_taken
from packhouse.plumbing.embedded.programs import PostgresPrograms, get_postgres_programs

# Recovery replays at most max_wal_size, a minute or two on a slow disk.
START_SECONDS_MAX = 300.0
LEFTOVER_SECONDS_MAX = 30.0
# A new cluster takes about 40 MiB; a running one asks for its log in segments of 16 MiB.
CLUSTER_MEBIBYTES = 64
SEGMENT_MEBIBYTES = 16
# SIGINT is a fast shutdown: clients are sent away, a checkpoint is written, nothing is left to
# recover. SIGQUIT ends at once and leaves the work to the next start's recovery.
STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT)
# When the parent is killed nobody is in a hurry: the fast shutdown writes at most shared_buffers
# (a second or so, the next start waits for it), where SIGQUIT could cost a recovery of 4 GB.
DEATH_SIGNAL = signal.SIGINT

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    # No socket file: its path may be 107 bytes at most, a killed server leaves it locked, and the
    # short places for it are open to everybody. TCP with a password is the one door.
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "shared_preload_libraries": "pg_stat_statements",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_level": "replica",
    # After each checkpoint full-page writes triple the log of an opening: have few of them.
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    # Compiling costs more than any of our short queries gains.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # The detail of a violated constraint quotes the row: personal data, which no log may hold.
    "log_error_verbosity": "terse",
}


class Cluster(msgspec.Struct, frozen=True):
    """One start's facts: ``path`` is the data directory, ``account`` who runs it (None: us)."""

    path: Path
    log: Path
    account: Account | None
    programs: PostgresPrograms
    superuser: str
    password: str


def start_postgres(
    directory: Path,
    *,
    announce: Announce,
    port: int | None = None,
    superuser: str = "packhouse",
    database: str = "packhouse",
    settings: Mapping[str, str] | None = None,
    fallback_root: Path = FALLBACK_ROOT,
) -> EmbeddedServer:
    """Start PostgreSQL as our child and wait until ``database`` takes connections.

    The first start creates the cluster, owned by ``superuser`` under a password of its own.
    ``settings`` overrule ``SETTINGS``. ``fallback_root`` is where root's shop keeps what the
    unprivileged account cannot reach in ``directory``.
    Call it from the main thread. Raises an ``EmbeddedServerError`` that says what to do.
    """
    with ExitStack() as undo:
        holds = [hold_directory(directory)]
        undo.callback(holds[0].release)
        home = find_home(directory, fallback_root=fallback_root, announce=announce)
        if home != directory:
            # A copy of the directory points to the same cluster, so that is held as well.
            holds.append(hold_directory(home))
            undo.callback(holds[1].release)
        account = find_account(cluster=home / "cluster")
        programs = get_postgres_programs(account, fallback_root=fallback_root, announce=announce)
        if (home / "cluster").exists() and not read_text(directory / "password"):
            raise DirectoryUnusable(
                f"{directory / 'password'} is gone, and {home / 'cluster'} opens only to it;"
                " put it back from a backup."
            )
        cluster = Cluster(
            path=home.resolve() / "cluster",
            log=directory / "postgres.log",
            account=account,
            programs=programs,
            superuser=superuser,
            password=keep_password(directory),
        )
        settings = {**SETTINGS, **(settings or {})}
        keep_log_short(cluster.log)
        if not cluster.path.exists():
            announce(f"Creating the PostgreSQL {programs.major} cluster in {cluster.path} …")
            create_cluster(cluster, is_synced=settings.get("fsync") != "off")
        require_same_major(cluster)
        stop_leftover(cluster, announce=announce)
        port = choose_port(directory, wanted=port)
        announce(f"Starting PostgreSQL {programs.version} …")
        child = start_server(cluster, {**settings, "port": str(port)}, announce=announce)
        undo.callback(stop_child, child, STOP_SIGNALS, timeout_seconds=10)
        create_database(cluster, database, port=port)
        undo.pop_all()
    return EmbeddedServer(
        url=f"postgresql://{superuser}:{cluster.password}@127.0.0.1:{port}/{database}",
        port=port,
        child=child,
        stop_signals=STOP_SIGNALS,
        holds=holds,
    )


def create_cluster(cluster: Cluster, *, is_synced: bool) -> None:
    """Run initdb beside the final place and move the whole cluster there when it is complete."""
    unfinished = cluster.path.with_name("cluster.new")
    password_file = cluster.path.with_name("initdb-password")
    with disk_troubles(cluster.path):
        if unfinished.exists():
            shutil.rmtree(unfinished)
        if not has_room(cluster.path.parent, mebibytes=CLUSTER_MEBIBYTES):
            # Asked beforehand, because initdb dies of it without saying so and frees what it took.
            raise disk_full(cluster.path.parent)
        unfinished.mkdir(mode=0o700)
        if cluster.account:
            os.chown(unfinished, cluster.account.uid, cluster.account.gid)
    write_private(password_file, f"{cluster.password}\n", account=cluster.account)
    child = launch_child(
        [
            cluster.programs.server / "initdb",
            f"--pgdata={unfinished}",
            f"--username={cluster.superuser}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The wheel has no ICU; the builtin provider sorts the same on every machine.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--data-checksums",
            "--no-instructions",
            *([] if is_synced else ["--no-sync"]),
        ],
        account=cluster.account,
        death_signal=signal.SIGTERM,
        # Not to the log: on a full disk the reason would be lost with it.
        output=subprocess.PIPE,
        directory=Path("/"),
    )
    try:
        output, _ = child.communicate()
    finally:
        stop_child(child, [signal.SIGTERM], timeout_seconds=5)
        password_file.unlink(missing_ok=True)
    if child.returncode != 0:
        words = output.decode(errors="replace")
        with disk_troubles(cluster.log), cluster.log.open("a", encoding="utf-8") as log:
            log.write(words)
        raise start_failure(cluster, "could not create its cluster", words)
    with disk_troubles(cluster.path):
        unfinished.rename(cluster.path)


def require_same_major(cluster: Cluster) -> None:
    """Refuse a cluster that another major version of PostgreSQL wrote."""
    found = read_text(cluster.path / "PG_VERSION")
    if found == cluster.programs.major:
        return
    if not found:
        raise DirectoryUnusable(
            f"{cluster.path} is not a PostgreSQL cluster (it has no PG_VERSION); restore it from"
            " a backup or choose another data directory."
        )
    raise DirectoryUnusable(
        f"{cluster.path} was made by PostgreSQL {found}, but this is"
        f" {cluster.programs.major}; move the data with pg_dump and pg_restore, or run the"
        " Packhouse release that made it."
    )


def stop_leftover(cluster: Cluster, *, announce: Announce) -> None:
    """End an orphan of an earlier run, or clear away what only looks like one.

    We hold the directory, so a postmaster that still lives there is one whose parent was killed:
    it is going down already (or, where children are not tied to their parents, must be told).
    """
    lock = cluster.path / "postmaster.pid"
    first_line, _, rest = read_text(lock).partition("\n")
    if not first_line.lstrip("-").isdecimal():
        return
    pid = abs(int(first_line))
    if not is_postmaster(pid, cluster.path):
        # PostgreSQL takes any living process with this id for a postmaster, but never its own
        # parent. The file must stay: the rest tells it whether old backends still live.
        with disk_troubles(lock):
            descriptor = os.open(lock, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
            os.write(descriptor, f"{os.getpid()}\n{rest}\n".encode())
            os.close(descriptor)
        return
    announce(f"Waiting for the PostgreSQL of an earlier run (process {pid}) to end …")
    deadline = time.monotonic() + LEFTOVER_SECONDS_MAX
    os.kill(pid, signal.SIGINT)
    while is_postmaster(pid, cluster.path):
        if time.monotonic() > deadline:
            raise DirectoryHeld(
                f"PostgreSQL of an earlier run (process {pid}) still has {cluster.path} and does"
                f" not end; look into {cluster.log}, end it and start again."
            )
        time.sleep(0.05)


def is_postmaster(pid: int, path: Path) -> bool:
    """Whether this process is a PostgreSQL server on the data directory ``path``."""
    if Path("/proc/self/cmdline").exists():
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape")
        except OSError:
            return False
        words = line.split("\0")
        return Path(words[0]).name == "postgres" and str(path) in words
    outcome = subprocess.run(  # noqa: S603 - a fixed command
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return "postgres" in outcome.stdout and str(path) in outcome.stdout


def start_server(
    cluster: Cluster, settings: Mapping[str, str], *, announce: Announce
) -> subprocess.Popen[bytes]:
    """Launch the postmaster; backends of a killed one may keep it out for a moment."""
    deadline = time.monotonic() + LEFTOVER_SECONDS_MAX
    while True:
        since = cluster.log.stat().st_size
        with disk_troubles(cluster.log), cluster.log.open("ab") as output:
            child = launch_child(
                [
                    cluster.programs.server / "postgres",
                    "-D",
                    cluster.path,
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                account=cluster.account,
                death_signal=DEATH_SIGNAL,
                output=output,
                directory=Path("/"),
            )
        try:
            is_ready = wait_until_ready(child, cluster, announce=announce)
        except BaseException:
            stop_child(child, STOP_SIGNALS, timeout_seconds=10)
            raise
        if is_ready:
            return child
        words = read_log(cluster.log, since=since)
        if "is still in use" in words and time.monotonic() < deadline:
            time.sleep(0.2)
            continue
        if "Address already in use" in words:
            raise port_taken(int(settings["port"]))
        raise start_failure(cluster, "did not start", words)


def wait_until_ready(
    child: subprocess.Popen[bytes], cluster: Cluster, *, announce: Announce
) -> bool:
    """True when the server takes connections, false when it has ended instead."""
    begun = time.monotonic()
    is_slow = False
    while not has_ended(child):
        # What pg_ctl waits for: the server writes its state into the eighth line.
        lines = read_text(cluster.path / "postmaster.pid").splitlines()
        if lines and lines[0] == str(child.pid) and lines[7:8] and lines[7].strip() == "ready":
            return True
        seconds = time.monotonic() - begun
        if seconds > START_SECONDS_MAX:
            raise EmbeddedServerError(
                f"PostgreSQL was not ready after {START_SECONDS_MAX:.0f} s; look into"
                f" {cluster.log} and start again."
            )
        if seconds > 5 and not is_slow:
            is_slow = True
            announce("PostgreSQL is recovering from an unclean end; this can take a minute …")
        time.sleep(0.02)
    return False


def create_database(cluster: Cluster, database: str, *, port: int) -> None:
    """Create ``database`` when it is missing; also proves that the password opens the server."""
    outcome = subprocess.run(  # noqa: S603 - a fixed command
        [
            cluster.programs.clients / "psql",
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            f"--set=name={database}",
            "--host=127.0.0.1",
            f"--port={port}",
            f"--username={cluster.superuser}",
            "--no-password",
            "postgres",
        ],
        # \gexec runs what the query returns. CREATE DATABASE knows no IF NOT EXISTS, and a replica,
        # which has both already, refuses even that of an extension.
        input="SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS"
        " (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n"
        # Statements are counted anyway; with this one can ask for the counts, as readiness does.
        "\\connect :name\n"
        "SELECT 'CREATE EXTENSION pg_stat_statements' WHERE NOT EXISTS"
        " (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') \\gexec\n",
        env=plain_environment({"PGPASSWORD": cluster.password, "PGCONNECT_TIMEOUT": "10"}),
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise start_failure(cluster, "did not open its database", outcome.stderr)


def start_failure(cluster: Cluster, what: str, words: str) -> EmbeddedServerError:
    """The error that fits PostgreSQL's last words; a full disk often leaves it none."""
    if "No space left on device" in words or not has_room(
        cluster.path.parent, mebibytes=SEGMENT_MEBIBYTES
    ):
        return disk_full(cluster.path.parent)
    return EmbeddedServerError(f"PostgreSQL {what}: {last_words(words)} (see {cluster.log}).")
