"""The shop's own programs as the bench runs them: told their settings, their lines in a file."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from packhouse.foundation.errors import Outage
from packhouse.plumbing.embedded.children import (
    has_ended,
    last_words,
    read_log,
    stop_child,
)
from packhouse.plumbing.handover import (
    HANDOVER_VARIABLE,
    PARENT_VARIABLE,
    Overrides,
    write_handover,
)

LOG_BYTES_MAX = 64 * 1024 * 1024


class ProgramEnded(Outage):
    """A program of the shop under test ended by itself; its last words are in the message."""

    code = "bench_program_ended"


class ShopProgram:
    """``packhouse ARGUMENTS`` as our child; ends with us, however that happens."""

    def __init__(
        self, arguments: Sequence[str], *, settings: Overrides, folder: Path, name: str
    ) -> None:
        handover = folder / f"{name}.settings"
        write_handover(handover, settings)
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603 - this very program, no shell
                [sys.executable, "-P", "-m", "packhouse", *arguments],
                env={
                    **_without_shop_settings(os.environ),
                    HANDOVER_VARIABLE: str(handover),
                    PARENT_VARIABLE: str(os.getpid()),
                },
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=folder,
                start_new_session=True,
            )
        self.pid = self._child.pid
        if self._child.stdin:
            # It waits for this before it begins.
            self._child.stdin.close()

    def require_running(self) -> None:
        """Raise ``ProgramEnded`` when it has ended."""
        if has_ended(self._child):
            raise ProgramEnded(
                f"`packhouse {self.name}` ended during the bench:"
                f" {last_words(read_log(self.log, since=0))}"
            )

    def keep_log_short(self) -> None:
        """Empty a long log; the program appends, so it goes on at the beginning."""
        if self.log.stat().st_size > LOG_BYTES_MAX:
            os.truncate(self.log, 0)

    def stop(self) -> None:
        """Stop it cleanly, and by force after ten seconds."""
        stop_child(self._child, [signal.SIGTERM], timeout_seconds=10)


def _without_shop_settings(environ: Mapping[str, str]) -> dict[str, str]:
    # What the bench decided is all in the handover; the rest would be another shop's.
    return {name: text for name, text in environ.items() if not name.startswith("PACKHOUSE_")}
