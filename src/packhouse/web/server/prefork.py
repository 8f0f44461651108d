"""The web workers: processes that are forked from one parent, which starts again who is killed.

The parent holds the listening sockets for as long as it lives, so that a worker's place is kept
while it is started anew. On Linux each worker has a socket of its own on the same port, and the
system spreads connections evenly; elsewhere they share one.
"""

import gc
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Final

from packhouse.foundation.limits import WEB_DRAIN_SECONDS_MAX
from packhouse.plumbing.logging import get_log
from packhouse.plumbing.meter_memory import MeterMemory, handed_meter_memory, make_meter_memory
from packhouse.plumbing.metrics import METERS
from packhouse.plumbing.settings import Settings
from packhouse.web.roles import WebRole
from packhouse.web.server.worker import run_worker

LOOK_SECONDS: Final = 0.1
STEADY_SECONDS: Final = 5.0
"""Who has lived so long is started again at once, and has shown that the shop can open."""
PAUSE_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 2.0
"""Beyond a worker's own bound for its stop, before it is ended by force."""

log = get_log(__name__)


class _Place:
    """One worker's place: its socket, and who fills it since when."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.process: BaseProcess | None = None
        self.started_at = 0.0
        self.due_at = 0.0


def serve_forked(settings: Settings, *, address: str, port: int, role: WebRole) -> int:
    """Serve a role at an address with as many workers as the settings say, until told to stop.

    Gives the exit code: 0 after a stop, 1 when the shop could not open in the first place.
    """
    listeners = listening_sockets(address, port, workers=settings.http_workers)
    # Loaded once here, code and settings are shared by all workers instead of held by each.
    gc.collect()
    gc.freeze()
    parent = _Parent(settings, listeners, role)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, parent.ask_to_stop)
    return parent.run()


def listening_sockets(address: str, port: int, *, workers: int) -> Sequence[socket.socket]:
    """A listening socket for each worker."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    has_own = sys.platform == "linux"
    listeners: list[socket.socket] = []
    for _ in range(workers if has_own else 1):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if has_own:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
        listener.settimeout(0)
        listeners.append(listener)
    return listeners if has_own else listeners * workers


def _work(
    settings: Settings,
    listener: socket.socket,
    others: Sequence[socket.socket],
    *,
    role: WebRole,
    meters: MeterMemory,
    parent: int,
) -> None:
    """Be a worker, without the sockets of the others that came along with the fork."""
    for other in others:
        other.close()
    METERS.begin(role=role, memory=meters)
    run_worker(settings, listener, role=role, parent=parent)


class _Parent:
    def __init__(
        self, settings: Settings, listeners: Sequence[socket.socket], role: WebRole
    ) -> None:
        self._settings = settings
        self._role = role
        self._places = [_Place(listener) for listener in listeners]
        # Held here, what a worker has counted outlives it.
        self._meters = handed_meter_memory(os.environ) or make_meter_memory()
        # Forked, workers share the memory of what is loaded; elsewhere forking is not safe.
        self._is_forking = sys.platform == "linux"
        self._fork = (
            multiprocessing.get_context("fork").Process
            if self._is_forking
            else multiprocessing.get_context("spawn").Process
        )
        self._is_asked_to_stop = False
        self._has_served = False
        self._cannot_open = False

    def ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """End ``run`` soon."""
        self._is_asked_to_stop = True

    def run(self) -> int:
        """Keep every place filled until asked to stop."""
        while not self._is_over():
            for place in self._places:
                if place.process is not None and place.process.exitcode is not None:
                    self._lose(place, place.process.exitcode)
                if self._is_over():
                    break
                if place.process is None and time.monotonic() >= place.due_at:
                    self._fill(place)
            time.sleep(LOOK_SECONDS)
        self._stop()
        return 1 if self._cannot_open else 0

    def _is_over(self) -> bool:
        return self._is_asked_to_stop or self._cannot_open

    def _fill(self, place: _Place) -> None:
        place.started_at = time.monotonic()
        others = [other.listener for other in self._places if other.listener != place.listener]
        place.process = self._fork(
            target=_work,
            args=(self._settings, place.listener, others if self._is_forking else []),
            kwargs={"role": self._role, "meters": self._meters, "parent": os.getpid()},
        )
        place.process.start()

    def _lose(self, place: _Place, code: int) -> None:
        place.process = None
        lived = time.monotonic() - place.started_at
        self._has_served = self._has_served or lived > STEADY_SECONDS
        if code == 1 and not self._has_served:
            # It has said why. Whoever watches over this program decides when to try again.
            self._cannot_open = True
            return
        place.due_at = 0.0 if lived > STEADY_SECONDS else time.monotonic() + PAUSE_SECONDS
        log.warning("A web worker ended unexpectedly and is started again", exit_code=code)

    def _stop(self) -> None:
        running = [place.process for place in self._places if place.process is not None]
        for process in running:
            process.terminate()
        # A port is open for as long as anybody holds its socket, and nobody would answer there.
        for place in self._places:
            place.listener.close()
        seconds = self._settings.drain_seconds + WEB_DRAIN_SECONDS_MAX + GRACE_SECONDS
        deadline = time.monotonic() + seconds
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.exitcode is None:
                log.warning("A web worker was ended by force", pid=process.pid)
                process.kill()
                process.join()
