"""The supervisor: what dies is started again, what is broken waits, and all stop in order."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from packhouse.cli.supervisor import Running, Supervisor
from packhouse.foundation.errors import Outage

PATIENCE_SECONDS = 30.0


class Sleeper:
    """A real process that does nothing, and notes the order in which it was stopped."""

    def __init__(self, name: str, stopped: list[str]) -> None:
        self._name = name
        self._stopped = stopped
        self._child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.pid = self._child.pid

    def is_running(self) -> bool:
        return self._child.poll() is None

    def stop(self, *, timeout_seconds: float) -> None:
        self._stopped.append(self._name)
        self._child.kill()
        self._child.wait(timeout_seconds)

    def die(self) -> None:
        self._child.kill()
        self._child.wait()


class Shop:
    """A supervisor of sleepers, and everything that was said and changed."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.stopped: list[str] = []
        self.changes: list[dict[str, int]] = []
        self.sleepers: dict[str, Sleeper] = {}
        self.supervisor = Supervisor(announce=self.said.append, on_change=self._note)

    def _note(self) -> None:
        self.changes.append(self.supervisor.pids())

    def start(self, name: str) -> None:
        self.supervisor.start(name, f"The {name}", lambda: self._make(name))

    def _make(self, name: str) -> Running:
        self.sleepers[name] = Sleeper(name, self.stopped)
        return self.sleepers[name]


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.supervisor.stop()


def look_until(supervisor: Supervisor, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        supervisor.look()
        time.sleep(0.02)


def test_every_new_process_is_told_of(shop: Shop) -> None:
    shop.start("relay")
    shop.start("web")
    relay, web = shop.sleepers["relay"].pid, shop.sleepers["web"].pid
    assert shop.changes == [{"relay": relay}, {"relay": relay, "web": web}]


def test_nothing_is_done_while_all_live(shop: Shop) -> None:
    shop.start("web")
    shop.supervisor.look()
    assert shop.said == []
    assert len(shop.changes) == 1


def test_the_first_death_is_answered_at_once_in_one_line(shop: Shop) -> None:
    shop.start("web")
    first = shop.sleepers["web"]
    first.die()
    shop.supervisor.look()
    assert shop.said == ["The web ended unexpectedly; starting it again now."]
    assert shop.supervisor.pids() == {"web": shop.sleepers["web"].pid}
    assert shop.sleepers["web"].pid != first.pid


def test_who_dies_again_soon_waits_before_the_next_attempt(shop: Shop) -> None:
    shop.start("web")
    for _ in range(2):
        shop.sleepers["web"].die()
        shop.supervisor.look()
    assert shop.said[-1] == "The web ended unexpectedly; starting it again in 1 s."
    assert shop.supervisor.pids() == {}
    look_until(shop.supervisor, lambda: "web" in shop.supervisor.pids())


def test_a_start_that_fails_is_said_and_tried_again(shop: Shop) -> None:
    attempts = 0

    def start() -> Running:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            raise Outage("The port is taken.")
        shop.sleepers["web"] = Sleeper("web", shop.stopped)
        return shop.sleepers["web"]

    shop.supervisor.start("web", "The web", start)
    shop.sleepers["web"].die()
    look_until(shop.supervisor, lambda: attempts == 3)
    assert shop.supervisor.pids() == {"web": shop.sleepers["web"].pid}
    assert "The port is taken." in shop.said


def test_a_first_start_that_fails_is_the_caller_s_to_answer(shop: Shop) -> None:
    def start() -> Running:
        raise Outage("The port is taken.")

    with pytest.raises(Outage, match="taken"):
        shop.supervisor.start("web", "The web", start)
    assert shop.changes == []


def test_parts_stop_in_the_reverse_order_of_their_start(shop: Shop) -> None:
    for name in ("postgres", "valkey", "worker", "web"):
        shop.start(name)
    shop.supervisor.stop()
    assert shop.stopped == ["web", "worker", "valkey", "postgres"]
    assert shop.supervisor.pids() == {}
