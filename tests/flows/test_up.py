"""``packhouse up`` and ``packhouse serve``, started for real and treated as they will be."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import asyncpg
import msgspec
import pytest

from packhouse.cli.supervisor import ECHO_SECONDS
from packhouse.demo.seed import DEMO_COLLECTOR_EMAIL, DEMO_OWNER_EMAIL
from packhouse.plumbing.settings import Settings, require_setting

PATIENCE_SECONDS = 240.0
PARTS = ("postgres", "valkey", "worker", "web")

pytestmark = pytest.mark.xdist_group("up")


class RunFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``run.json`` as the contract has it."""

    url: str
    metrics_url: str
    database_url: str
    cache_url: str
    pids: dict[str, int]


class Started:
    """A ``packhouse`` that runs as our child in ``folder``, and what it has said so far."""

    def __init__(self, folder: Path, *arguments: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        descriptor, name = tempfile.mkstemp(prefix="said-", dir=folder)
        self._said = Path(name)
        kept = {name: text for name, text in os.environ.items() if name[:10] != "PACKHOUSE_"}
        with os.fdopen(descriptor, "ab") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "packhouse", *arguments],
                cwd=folder,
                env={**kept, **environ},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self._said.read_text()

    def run(self) -> RunFile:
        return msgspec.json.decode((self.folder / "shop" / "run.json").read_bytes(), type=RunFile)

    def stop(self, stop_signal: signal.Signals = signal.SIGINT) -> int:
        self.child.send_signal(stop_signal)
        return self.child.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        self.child.kill()
        self.child.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not below pytest's own folder: root's PostgreSQL runs as an account that cannot enter there.
    path = Path(tempfile.mkdtemp(prefix="packhouse-up-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Started]]:
    """Starts the command with these arguments in the test's folder; ends it with the test."""
    all_started: list[Started] = []

    def start_one(*arguments: str, environ: Mapping[str, str] | None = None) -> Started:
        all_started.append(Started(folder, *arguments, environ=environ or {}))
        return all_started[-1]

    yield start_one
    for started in all_started:
        started.end()
    # A killed shop's PostgreSQL still writes its last checkpoint.
    wait_until(lambda: str(folder) not in list_processes("command="))


@pytest.fixture
def port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
    return number


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def status_of(port: int, path: str = "/health/ready") -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait_until_ready(started: Started, port: int) -> None:
    def is_ready() -> bool:
        assert started.child.poll() is None, started.said()
        return status_of(port) == 200

    wait_until(is_ready)


def list_processes(columns: str) -> str:
    outcome = subprocess.run(
        ["/bin/ps", "-A", "-w", "-w", "-o", columns], capture_output=True, text=True, check=True
    )
    return outcome.stdout


def has_said(started: Started, words: str) -> bool:
    return words in started.said()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children_of(parent: int) -> list[int]:
    pairs = [line.split() for line in list_processes("pid=,ppid=").splitlines()]
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]


def is_replaced(shop: Started, part: str, before: RunFile) -> bool:
    return shop.run().pids.get(part, before.pids[part]) != before.pids[part]


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
async def test_the_shop_opens_at_one_address_and_leaves_nothing_running(
    start: Callable[..., Started], folder: Path, port: int, stop_signal: signal.Signals
) -> None:
    shop = start("up", "--port", str(port), "--data", "shop", "--no-demo")
    wait_until_ready(shop, port)
    wait_until(lambda: has_said(shop, f"is open at http://127.0.0.1:{port}"))
    run = shop.run()
    assert run.url == f"http://127.0.0.1:{port}"
    assert run.metrics_url == f"{run.url}/metrics"
    assert set(run.pids) == {"up", *PARTS}
    assert run.pids["up"] == shop.child.pid
    assert (folder / "shop" / "run.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "shop" / "seed-key").stat().st_mode & 0o777 == 0o600
    assert await ask(run.database_url, "SELECT count(*) FROM users") == 0
    family = [*run.pids.values(), *children_of(run.pids["web"])]
    assert shop.stop(stop_signal) == 0
    assert not any(is_alive(pid) for pid in family)
    assert "Traceback" not in shop.said()
    assert not (folder / "shop" / "run.json").exists()


async def test_the_demo_shop_is_seeded_once(start: Callable[..., Started], port: int) -> None:
    counts = []
    for _ in range(2):
        shop = start("up", "--port", str(port), "--data", "shop")
        wait_until_ready(shop, port)
        counts.append(await ask(shop.run().database_url, "SELECT count(*) FROM stock_items"))
        wait_until(partial(has_said, shop, "is open at"))
        assert DEMO_COLLECTOR_EMAIL in shop.said()
        assert DEMO_OWNER_EMAIL in shop.said()
        assert shop.stop() == 0
    assert counts[0] == counts[1] != 0


async def test_a_killed_part_is_started_again_at_the_same_address(
    start: Callable[..., Started], port: int
) -> None:
    shop = start("up", "--port", str(port), "--data", "shop", "--no-demo")
    wait_until_ready(shop, port)
    for part in ("worker", "web", "valkey", "postgres"):
        before = shop.run()
        os.kill(before.pids[part], signal.SIGKILL)
        wait_until(partial(is_replaced, shop, part, before))
        wait_until_ready(shop, port)
        after = shop.run()
        assert msgspec.structs.replace(after, pids=before.pids) == before
        assert await ask(after.database_url, "SELECT 1") == 1
    for title in ("PostgreSQL", "Valkey", "The worker", "The web server"):
        assert f"{title} ended unexpectedly" in shop.said()
    assert shop.stop() == 0


async def test_a_killed_shop_takes_everything_along_and_loses_nothing(
    start: Callable[..., Started], port: int
) -> None:
    shop = start("up", "--port", str(port), "--data", "shop", "--no-demo")
    wait_until_ready(shop, port)
    run = shop.run()
    await ask(run.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
    family = [*run.pids.values(), *children_of(run.pids["web"])]
    assert len(family) > len(PARTS) + 1
    shop.child.kill()
    shop.child.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in family))
    again = start("up", "--port", str(port), "--data", "shop", "--no-demo")
    wait_until_ready(again, port)
    assert await ask(again.run().database_url, "SELECT n FROM kept") == 7
    assert again.stop() == 0


def test_a_second_shop_on_the_folder_or_the_port_is_told_so_in_one_line(
    start: Callable[..., Started], port: int
) -> None:
    shop = start("up", "--port", str(port), "--data", "shop", "--no-demo")
    wait_until_ready(shop, port)
    same_folder = start("up", "--port", str(port), "--data", "shop")
    assert same_folder.child.wait(PATIENCE_SECONDS) == 1
    assert same_folder.said().count("\n") == 1
    assert f"process {shop.child.pid}" in same_folder.said()
    same_port = start("up", "--port", str(port), "--data", "other")
    assert same_port.child.wait(PATIENCE_SECONDS) == 1
    assert same_port.said().count("\n") == 1
    assert f"Port {port}" in same_port.said()
    assert "--port" in same_port.said()
    assert shop.stop() == 0


def test_a_foreign_folder_is_left_alone_and_named_in_one_line(
    start: Callable[..., Started], folder: Path
) -> None:
    (folder / "shop").mkdir()
    (folder / "shop" / "letter.txt").write_text("dear all")
    refused = start("up", "--data", "shop")
    assert refused.child.wait(PATIENCE_SECONDS) == 1
    assert refused.said().count("\n") == 1
    assert str(folder / "shop") in refused.said()
    assert [path.name for path in (folder / "shop").iterdir()] == ["letter.txt"]


def test_a_shop_that_is_still_starting_stops_when_asked(
    start: Callable[..., Started], folder: Path
) -> None:
    shop = start("up", "--data", "shop")
    wait_until(lambda: "PostgreSQL" in shop.said())
    assert shop.stop() == 0
    assert "Traceback" not in shop.said()
    assert not (folder / "shop" / "run.json").exists()


def test_commands_find_the_shop_by_its_folder(start: Callable[..., Started], port: int) -> None:
    early = start("db", "status", "--data", "shop")
    assert early.child.wait(PATIENCE_SECONDS) == 1
    assert "packhouse up" in early.said()
    shop = start("up", "--port", str(port), "--data", "shop", "--no-demo")
    wait_until_ready(shop, port)
    status = start("db", "status", "--json", environ={"PACKHOUSE_DATA": "shop"})
    assert status.child.wait(PATIENCE_SECONDS) == 0
    states = json.loads(status.said())["migrations"]
    assert {each["state"] for each in states} == {"applied"}
    assert shop.stop() == 0


def environment_of(settings: Settings, *, port: int, database_url: str) -> dict[str, str]:
    return {
        "PACKHOUSE_DATABASE_URL": database_url,
        "PACKHOUSE_CACHE_URL": require_setting(settings.cache_url, name="cache_url").reveal(),
        "PACKHOUSE_SEED_KEY": "00" * 32,
        "PACKHOUSE_LOG_KEY": "01" * 32,
        "PACKHOUSE_HTTP_PORT": str(port),
    }


def test_serve_runs_web_and_worker_on_named_servers(
    start: Callable[..., Started], settings: Settings, database_url: str, port: int
) -> None:
    environ = environment_of(settings, port=port, database_url=database_url)
    shop = start("serve", environ=environ)
    wait_until_ready(shop, port)
    assert len(children_of(shop.child.pid)) == 2
    assert shop.stop(signal.SIGTERM) == 0
    assert status_of(port) is None


@pytest.mark.parametrize("role", ["web", "worker"])
def test_one_role_runs_alone_until_it_is_told_to_stop(
    start: Callable[..., Started], settings: Settings, database_url: str, port: int, role: str
) -> None:
    shop = start(
        "serve", role, environ=environment_of(settings, port=port, database_url=database_url)
    )
    if role == "web":
        wait_until_ready(shop, port)
    else:
        wait_until(lambda: "The worker runs" in shop.said())
    assert shop.stop(signal.SIGTERM) == 0
    assert "Traceback" not in shop.said()


def test_serve_names_every_setting_that_is_missing(start: Callable[..., Started]) -> None:
    refused = start("serve")
    assert refused.child.wait(PATIENCE_SECONDS) == 2
    for need in ("DATABASE_URL", "CACHE_URL", "SEED_KEY", "LOG_KEY"):
        assert f"PACKHOUSE_{need}: is needed" in refused.said()


def test_a_worker_without_the_key_of_the_draw_log_refuses_to_start(
    start: Callable[..., Started], settings: Settings, database_url: str, port: int
) -> None:
    environ = environment_of(settings, port=port, database_url=database_url)
    del environ["PACKHOUSE_LOG_KEY"]
    refused = start("serve", "worker", environ=environ)
    assert refused.child.wait(PATIENCE_SECONDS) == 2
    assert "PACKHOUSE_LOG_KEY: is needed" in refused.said()


async def test_serve_waits_for_the_migrations_that_only_a_person_runs(
    start: Callable[..., Started], settings: Settings, database_url: str, port: int
) -> None:
    await ask(database_url, "CREATE DATABASE bare_shop TEMPLATE template0")
    bare_url = database_url.rsplit("/", 1)[0] + "/bare_shop"
    environ = environment_of(settings, port=port, database_url=bare_url)
    refused = start("serve", environ=environ)
    assert refused.child.wait(PATIENCE_SECONDS) == 1
    assert "packhouse db migrate" in refused.said()
    pending = start("db", "status", environ=environ)
    assert pending.child.wait(PATIENCE_SECONDS) == 1
    assert "0001_first_tables  pending" in pending.said()
    migrated = start("db", "migrate", environ=environ)
    assert migrated.child.wait(PATIENCE_SECONDS) == 0
    status = start("db", "status", environ=environ)
    assert status.child.wait(PATIENCE_SECONDS) == 0
    await ask(database_url, "DROP DATABASE bare_shop WITH (FORCE)")


def test_a_second_ctrl_c_hurries_and_still_ends_well(
    start: Callable[..., Started], port: int
) -> None:
    shop = start("up", "--port", str(port), "--data", "shop", "--no-demo")
    wait_until_ready(shop, port)
    run = shop.run()
    # A stopped process hears no request to end, so that the first Ctrl-C takes its time.
    os.kill(run.pids["worker"], signal.SIGSTOP)
    shop.child.send_signal(signal.SIGINT)
    time.sleep(2 * ECHO_SECONDS)
    assert shop.stop() == 0
    assert "in a hurry" in shop.said()
    assert not any(is_alive(pid) for pid in run.pids.values())
