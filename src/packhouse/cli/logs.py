"""Opening a draw log to check it: its files, the key, and the newest signed checkpoint."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from packhouse import verify
from packhouse.cli.verdicts import say, stop_at
from packhouse.verify import Checkpoint, CouldNotLook, LogFiles, VerifierKey

LogOption = Annotated[
    str | None,
    typer.Option(
        "--log",
        metavar="ADDRESS_OR_DIR",
        help="The draw log: the shop's address, or the folder of a mirror.",
        show_default=False,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FILE_OR_KEY",
        help="The verifier key of the log, from elsewhere than the log itself.",
        show_default=False,
    ),
]


class OpenedLog(msgspec.Struct, frozen=True):
    """A log whose newest checkpoint was read and is signed by ``key``."""

    files: LogFiles
    key: VerifierKey
    checkpoint: Checkpoint

    @property
    def judged_at(self) -> datetime | None:
        """The time at which promises are held against it: now, or of a mirror its latest leaf's."""
        return None if self.files.address is None else datetime.now(UTC)


@contextmanager
def opened_log(target: str, *, key: str | None, save: Path | None = None) -> Iterator[OpenedLog]:
    """The log at an address, of which files are kept in ``save``, or a mirror.

    Raises ``Differs`` when the checkpoint is not signed, ``CouldNotLook``.
    """
    address = verify.log_address_of(target)
    if address is None:
        if save is not None:
            raise CouldNotLook(f"{target} is no address: only a log from elsewhere can be saved.")
        files = LogFiles(verify.mirror_folder_of(target))
        yield _opened(files, _key_of(files, key=key))
        return
    if save is not None:
        yield _open_fresh(LogFiles(save, address), key=key)
        return
    with tempfile.TemporaryDirectory(prefix="packhouse-log-") as folder:
        yield _open_fresh(LogFiles(Path(folder), address), key=key)


def read_key(key: str) -> VerifierKey:
    """A verifier key that was given itself or as a file. Raises ``Differs``, ``CouldNotLook``."""
    if "+" in key and not Path(key).is_file():
        return verify.read_verifier_key(key, name="--key")
    content = verify.read_target(key)
    return verify.read_verifier_key(content.decode("utf-8", errors="replace"), name=f"--key {key}")


def _opened(files: LogFiles, verifier_key: VerifierKey) -> OpenedLog:
    checkpoint = verify.read_checkpoint(files.read("checkpoint"), verifier_key)
    say(
        f"The checkpoint of {checkpoint.origin} is signed by the key {verifier_key.id.hex()}:"
        f" {checkpoint.size} leaves with the root {checkpoint.root.hex()}."
    )
    return OpenedLog(files=files, key=verifier_key, checkpoint=checkpoint)


def _open_fresh(files: LogFiles, *, key: str | None) -> OpenedLog:
    """Fetch the checkpoint anew; what a mirror had before must be the beginning of it."""
    content = files.fetch("checkpoint")
    verifier_key = _key_of(files, key=key)
    before = files.folder / "checkpoint"
    if before.is_file():
        earlier = verify.read_checkpoint(before.read_bytes(), verifier_key, name=str(before))
        now = verify.read_checkpoint(content, verifier_key)
        stop_at(verify.check_extends(files, now, earlier, name=f"the mirror {files.folder}"))
        if earlier.size > now.size:
            raise CouldNotLook(
                f"The log shows {now.size} leaves, and the mirror {files.folder} has {earlier.size}"
                " of it already."
            )
    files.keep("checkpoint", content)
    return _opened(files, verifier_key)


def _key_of(files: LogFiles, *, key: str | None) -> VerifierKey:
    if key is not None:
        return read_key(key)
    say("The key is the one beside the log; one from elsewhere, given by --key, would prove more.")
    content = files.read("key").decode("utf-8", errors="replace")
    return verify.read_verifier_key(content, name="the key beside the log")
