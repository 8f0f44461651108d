"""What a running shop hands to the programs it starts: its settings, and the duty to end with it.

``packhouse up`` decides settings that no environment may (where its servers are, that they are
embedded). They hold secrets, so they travel in a private file; only its path is in the environment,
under a name that is no setting.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from packhouse.foundation.errors import Outage
from packhouse.plumbing.embedded.places import write_private
from packhouse.plumbing.settings import SERVE_NEEDS, LoadedSettings, load_settings

HANDOVER_VARIABLE: Final = "_PACKHOUSE_HANDOVER"
"""Names the file with the settings that ``packhouse up`` decided."""

PARENT_VARIABLE: Final = "_PACKHOUSE_PARENT"
"""The id of the program that starts and watches this one; not set when nobody does."""

PR_SET_PDEATHSIG: Final = 1
PARENT_LOOK_SECONDS: Final = 1.0

Overrides = Mapping[str, str]
"""Values as text by the name of their field in ``Settings``."""


class HandoverLost(Outage):
    """The file with the shop's settings is gone or damaged."""

    code = "handover_lost"


def write_handover(path: Path, overrides: Overrides) -> None:
    """Keep ``overrides`` where only this account can read."""
    write_private(path, msgspec.json.encode(overrides).decode())


def read_handover(path: Path) -> Overrides:
    """The overrides in the file; raises ``HandoverLost``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise HandoverLost(
            f"The running shop's settings in {path} cannot be read ({type(error).__name__});"
            " stop the shop and start it again."
        ) from error


def handed_overrides(environ: Mapping[str, str]) -> Overrides | None:
    """What ``packhouse up`` decided for this program, or None when it was not started by it."""
    path = environ.get(HANDOVER_VARIABLE)
    return read_handover(Path(path)) if path else None


def load_process_settings(*, required: Collection[str] = SERVE_NEEDS) -> LoadedSettings:
    """The settings of this program: the environment's, and what was handed over wins.

    Raises ``InvalidSettings``, also for what is missing of ``required``.
    """
    return load_settings(os.environ, overrides=handed_overrides(os.environ), required=required)


def begin_as_child() -> None:
    """End with the program that started this one, and wait until it says that all is prepared.

    Does nothing in a program that nobody watches. Call it first thing.
    """
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None:
        tie_to_parent(int(parent))
        sys.stdin.read()


def tie_to_parent(parent: int) -> None:
    """From now on this program ends at once, by force, when program ``parent`` ends.

    Call it first thing, in the main thread of a child of ``parent``.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        sys.exit("The program that started this one has ended already.")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
