"""Servers as children of this program: launched, watched, and never left behind.

Each child has a session of its own, so that Ctrl-C in the terminal reaches only the parent, which
then decides the order of stopping; and it ends when the parent ends, however that happens. Linux
ties a child to the parent's *thread*, hence the insistence on the main one. Other systems have no
such tie: there a killed parent leaves its servers, and the next start ends the old PostgreSQL.
"""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from packhouse.plumbing.embedded.errors import disk_troubles
from packhouse.plumbing.embedded.places import Account, DirectoryHold

LAUNCHER = Path(__file__).with_name("launcher.py")
LOG_BYTES_MAX = 8 * 1024 * 1024
LOG_TAIL_BYTES = 4096
LAST_LINES = 3
LOOK_SECONDS = 0.01
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks this program to stop, and may make it raise wherever it is."""


class EmbeddedServer:
    """A server that runs as our child on 127.0.0.1, ready for connections.

    ``url`` holds the password: never log it. The server's directory stays held until ``stop``,
    also when the server has died: stop it first, then start it anew.
    """

    def __init__(
        self,
        *,
        url: str,
        port: int,
        child: subprocess.Popen[bytes],
        stop_signals: Sequence[signal.Signals],
        holds: Sequence[DirectoryHold],
    ) -> None:
        self.url = url
        self.port = port
        self.pid = child.pid
        self._child = child
        self._stop_signals = stop_signals
        self._holds = holds

    def is_running(self) -> bool:
        """Whether the process lives; it may still be too busy to answer."""
        return not has_ended(self._child)

    def stop(self, *, timeout_seconds: float = 30) -> None:
        """Stop cleanly, and by force when that takes longer than ``timeout_seconds``."""
        stop_child(self._child, self._stop_signals, timeout_seconds=timeout_seconds)
        for hold in self._holds:
            hold.release()


def launch_child(
    command: Sequence[str | Path],
    *,
    account: Account | None,
    death_signal: signal.Signals,
    output: int | IO[bytes],
    directory: Path,
) -> subprocess.Popen[bytes]:
    """Start ``command`` (an absolute path first) in ``directory``, writing to ``output``.

    ``death_signal`` is what the child gets when this program dies.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Start embedded servers from the main thread: they end with theirs.")
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    words = [os.getpid(), death_signal.value, uid, gid, *command]
    return subprocess.Popen(  # noqa: S603 - our own launcher, no shell
        [sys.executable, "-I", "-S", LAUNCHER, *(str(word) for word in words)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=directory,
        start_new_session=True,
    )


def has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child has ended; reaps it then.

    ``Popen.poll`` takes a lock before it guards it. A signal's handler that raises just in between
    would leave it locked for ever, so signals that ask to stop wait these few microseconds.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        return child.poll() is not None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for_end(child: subprocess.Popen[bytes], *, timeout_seconds: float) -> bool:
    """Wait until the child has ended; False when that takes longer than ``timeout_seconds``."""
    deadline = time.monotonic() + timeout_seconds
    while not has_ended(child):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def stop_child(
    child: subprocess.Popen[bytes],
    stop_signals: Sequence[signal.Signals],
    *,
    timeout_seconds: float,
) -> None:
    """Send each signal in turn until the child has ended, at last SIGKILL; reap it."""
    for stop_signal in stop_signals:
        if has_ended(child):
            return
        os.kill(child.pid, stop_signal)
        if wait_for_end(child, timeout_seconds=timeout_seconds):
            return
        timeout_seconds = min(timeout_seconds, 5)
    os.kill(child.pid, signal.SIGKILL)
    wait_for_end(child, timeout_seconds=math.inf)


def plain_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What our commands see, as the launcher's do: no secrets, and English words, which we read."""
    return {"PATH": os.defpath, "LC_ALL": "C", **(extra or {})}


def keep_log_short(log: Path) -> None:
    """Put a long log aside as ``NAME.old`` (replacing an older one) before a server begins."""
    with disk_troubles(log):
        if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_name(f"{log.name}.old"))
        log.touch(mode=0o600)


def read_log(log: Path, *, since: int) -> str:
    """What was written to the log after byte ``since``; of a long story only the end."""
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - LOG_TAIL_BYTES))
        return file.read().decode(errors="replace")


def last_words(text: str) -> str:
    """The last lines of a server's output, joined into one."""
    lines = text.strip().splitlines()[-LAST_LINES:]
    return " / ".join(line.strip() for line in lines) or "it left no word"
