"""Valkey for one machine: a cache in memory, never a place of record.

What it holds may vanish at any time, so it writes nothing to disk and its end needs no care.
"""

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import valkey

from packhouse.plumbing.embedded.children import (
    EmbeddedServer,
    has_ended,
    keep_log_short,
    last_words,
    launch_child,
    read_log,
    stop_child,
)
from packhouse.plumbing.embedded.errors import EmbeddedServerError, disk_troubles
from packhouse.plumbing.embedded.places import (
    Announce,
    hold_directory,
    keep_password,
    write_private,
)
from packhouse.plumbing.embedded.ports import choose_port
from packhouse.plumbing.embedded.programs import get_valkey_server

START_SECONDS_MAX = 15.0

# allkeys-lru: a full cache drops what was not asked for the longest. The counters of a client that
# keeps knocking are always fresh, so its limits hold; and a key written without an expiry, which a
# volatile policy would keep for ever, cannot wedge the cache. User data stays out of the log.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
daemonize no
appendonly no
save ""
maxmemory {max_memory_mib}mb
maxmemory-policy allkeys-lru
hide-user-data-from-log yes
"""


def start_valkey(
    directory: Path, *, announce: Announce, port: int | None = None, max_memory_mib: int = 64
) -> EmbeddedServer:
    """Start Valkey as our child and wait until it answers; ``directory`` gets its log and password.

    Call it from the main thread. Raises an ``EmbeddedServerError`` that says what to do.
    """
    program = get_valkey_server()
    with ExitStack() as undo:
        hold = hold_directory(directory)
        undo.callback(hold.release)
        password = keep_password(directory)
        port = choose_port(directory, wanted=port)
        configuration = directory / "valkey.conf"
        write_private(
            configuration,
            CONFIGURATION.format(port=port, password=password, max_memory_mib=max_memory_mib),
        )
        log = directory / "valkey.log"
        keep_log_short(log)
        since = log.stat().st_size
        announce("Starting Valkey …")
        with disk_troubles(log), log.open("ab") as output:
            child = launch_child(
                # Relative to its directory, so that no odd path needs quoting.
                [program, configuration.name],
                account=None,
                # Nothing of it needs saving, and its port is free again at once.
                death_signal=signal.SIGKILL,
                output=output,
                directory=directory,
            )
        undo.callback(stop_child, child, [signal.SIGTERM], timeout_seconds=1)
        url = f"valkey://:{password}@127.0.0.1:{port}/0"
        deadline = time.monotonic() + START_SECONDS_MAX
        while not answers(url):
            if has_ended(child) or time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"Valkey did not start: {last_words(read_log(log, since=since))} (see {log})."
                )
            time.sleep(0.02)
        undo.pop_all()
    return EmbeddedServer(
        url=url, port=port, child=child, stop_signals=[signal.SIGTERM], holds=[hold]
    )


def answers(url: str) -> bool:
    """Whether the Valkey at ``url`` lets us in."""
    try:
        with valkey.Valkey.from_url(url, socket_timeout=1) as client:
            return bool(client.ping())
    except valkey.exceptions.ConnectionError:
        return False
