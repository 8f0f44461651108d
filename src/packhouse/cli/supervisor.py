"""Keeps the parts of a shop running: starts them in order, starts again what died, stops them all.

One thread, no magic: ten times a second it looks whether each part still lives. A part that dies
soon after its start waits longer before each new attempt, so that a broken one does no harm.
"""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn, Protocol

from packhouse.foundation.errors import PackhouseError
from packhouse.plumbing.embedded.children import (
    STOP_SIGNALS,
    has_ended,
    stop_child,
    wait_for_end,
)
from packhouse.plumbing.handover import PARENT_VARIABLE
from packhouse.plumbing.meter_memory import METERS_VARIABLE, MeterMemory

LOOK_SECONDS: Final = 0.1
STEADY_SECONDS: Final = 60.0
"""Who has lived this long is started again at once."""
PAUSE_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 20.0
"""How long one part may take to stop; longer than the web server's own limit for its workers."""
HURRY_SECONDS_MAX: Final = 1.0
ECHO_SECONDS: Final = 0.5
"""A signal that follows another so soon is its echo (a terminal and `make` may both send one)."""

Announce = Callable[[str], None]


class StopAsked(BaseException):
    """Ctrl-C, SIGTERM, or the terminal was closed; like ``KeyboardInterrupt`` it is no error."""


class Running(Protocol):
    """A part that was started: one of our programs or an embedded server."""

    pid: int

    def is_running(self) -> bool:
        """Whether its process lives."""

    def stop(self, *, timeout_seconds: float) -> None:
        """Stop it cleanly, by force after ``timeout_seconds``; harmless when it has ended."""


class Program:
    """One of our own programs as a child, in a session of its own so that Ctrl-C passes it by.

    It waits at the door until ``let_in``, so that the world can be told of it before it serves.
    All that count in the same ``meters`` are told by whoever of them is asked.
    """

    def __init__(
        self, arguments: Sequence[str], *, environ: Mapping[str, str], meters: MeterMemory
    ) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - this very program, no shell
            # -P: a folder named packhouse in the working directory must not be run instead.
            [sys.executable, "-P", "-m", "packhouse", *arguments],
            env={
                **environ,
                PARENT_VARIABLE: str(os.getpid()),
                METERS_VARIABLE: str(meters.descriptor),
            },
            pass_fds=[meters.descriptor],
            stdin=subprocess.PIPE,
            stdout=2,
            start_new_session=True,
        )
        self.pid = self._child.pid

    def let_in(self) -> None:
        """Let it begin; a program that has died in the meantime is found out by others."""
        if self._child.stdin:
            with suppress(BrokenPipeError):
                self._child.stdin.close()

    def is_running(self) -> bool:
        """Whether its process lives."""
        return not has_ended(self._child)

    def wait(self) -> int:
        """Wait until it has ended; gives its exit code, 0 when all went well."""
        wait_for_end(self._child, timeout_seconds=math.inf)
        return self._child.wait()

    def stop(self, *, timeout_seconds: float) -> None:
        """Ask it to stop, and end it by force when that takes longer than ``timeout_seconds``."""
        self.let_in()
        stop_child(self._child, [signal.SIGTERM], timeout_seconds=timeout_seconds)


class Part:
    """A place in the shop: how to fill it, what fills it now, and since when."""

    def __init__(self, name: str, title: str, start: Callable[[], Running]) -> None:
        self.name = name
        self.title = title
        self.start = start
        self.running: Running | None = None
        self.started_at = 0.0
        self.pause_seconds = 0.0
        self.due_at = 0.0


class Supervisor:
    """The parts of a shop in their order of starting.

    ``on_change`` is called whenever a part got a new process, before that process may begin.
    """

    def __init__(self, *, announce: Announce, on_change: Callable[[], None]) -> None:
        self._announce = announce
        self._on_change = on_change
        self._parts: list[Part] = []
        self.deaths = 0
        """How many parts were found dead since the beginning."""

    def start(self, name: str, title: str, start: Callable[[], Running]) -> None:
        """Start a part for the first time; ``start`` will also be called whenever it has died."""
        part = Part(name, title, start)
        self._parts.append(part)
        self._fill(part)

    def pids(self) -> dict[str, int]:
        """The process id of every part that was started and not found dead, by name."""
        return {part.name: part.running.pid for part in self._parts if part.running}

    def look(self) -> None:
        """Start again whatever has died, unless it has to wait."""
        for part in self._parts:
            if part.running is not None and not part.running.is_running():
                self._lose(part)
            if part.running is None and time.monotonic() >= part.due_at:
                try:
                    self._fill(part)
                except PackhouseError as error:
                    self._announce(error.message)
                    if part.running is None:
                        self._put_off(part)

    def run(self) -> NoReturn:
        """Look after the parts until ``StopAsked`` ends it."""
        while True:
            self.look()
            time.sleep(LOOK_SECONDS)

    def stop(self, *, timeout_seconds: float = STOP_SECONDS_MAX) -> None:
        """Stop the parts, the last started first; may be called again in more of a hurry."""
        for part in reversed(self._parts):
            self._empty(part, timeout_seconds=timeout_seconds)

    def _fill(self, part: Part) -> None:
        part.running = part.start()
        part.started_at = time.monotonic()
        try:
            self._on_change()
        finally:
            if isinstance(part.running, Program):
                part.running.let_in()

    def _empty(self, part: Part, *, timeout_seconds: float = STOP_SECONDS_MAX) -> None:
        if part.running is not None:
            part.running.stop(timeout_seconds=timeout_seconds)
            part.running = None

    def _lose(self, part: Part) -> None:
        self.deaths += 1
        # An embedded server holds its folder until it is stopped, even when it is dead.
        self._empty(part)
        if time.monotonic() - part.started_at > STEADY_SECONDS:
            part.pause_seconds = 0.0
            part.due_at = 0.0
        else:
            self._put_off(part)
        wait = part.due_at - time.monotonic()
        when = f"in {wait:.0f} s" if wait > 0 else "now"
        self._announce(f"{part.title} ended unexpectedly; starting it again {when}.")

    def _put_off(self, part: Part) -> None:
        part.due_at = time.monotonic() + part.pause_seconds
        part.pause_seconds = min(PAUSE_SECONDS_MAX, part.pause_seconds * 2 or 1.0)


@contextmanager
def stop_signals() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into ``StopAsked``, in the main thread, while this lasts."""
    last = float("-inf")

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal last
        previous, last = last, time.monotonic()
        if last - previous > ECHO_SECONDS:
            raise StopAsked

    before = {each: signal.getsignal(each) for each in STOP_SIGNALS}
    for each in STOP_SIGNALS:
        # nohup has it ignored, and means it.
        if each != signal.SIGHUP or before[each] != signal.SIG_IGN:
            signal.signal(each, ask)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def stop_all(supervisor: Supervisor, *, announce: Announce, drain_seconds: int) -> None:
    """Stop every part, which may take ``drain_seconds`` longer than it otherwise would.

    Whoever asks a second time gets it faster, and a third time is ignored.
    """
    try:
        supervisor.stop(timeout_seconds=STOP_SECONDS_MAX + drain_seconds)
    except StopAsked:
        announce("Stopping in a hurry …")
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        supervisor.stop(timeout_seconds=HURRY_SECONDS_MAX)
