"""What can keep an embedded server from running, each in one line that says what to do about it.

::

    EmbeddedServerError      a server did not start; the line quotes its last words
    ├── ProgramsMissing      no server was installed for this machine
    ├── ForeignDirectory     the folder holds something that is not ours
    ├── DirectoryHeld        another shop runs on it
    ├── DirectoryUnusable    read-only, closed to us, gone, or made by another PostgreSQL
    ├── DiskFull             no space left
    └── PortTaken            something else listens there
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from packhouse.foundation.errors import Outage


class EmbeddedServerError(Outage):
    """An embedded server could not be started."""

    code: ClassVar[str] = "embedded_server_failed"


class ProgramsMissing(EmbeddedServerError):
    """The wheels hold no PostgreSQL or Valkey that runs on this machine."""

    code: ClassVar[str] = "embedded_programs_missing"


class ForeignDirectory(EmbeddedServerError):
    """The folder has contents but not our marker, so nothing in it was touched."""

    code: ClassVar[str] = "embedded_directory_foreign"


class DirectoryHeld(EmbeddedServerError):
    """A living program holds the folder; the message names its process id."""

    code: ClassVar[str] = "embedded_directory_held"


class DirectoryUnusable(EmbeddedServerError):
    """The folder is ours but cannot be used as it is."""

    code: ClassVar[str] = "embedded_directory_unusable"


class DiskFull(EmbeddedServerError):
    """The disk under the folder has no space left."""

    code: ClassVar[str] = "embedded_disk_full"


class PortTaken(EmbeddedServerError):
    """The port that was asked for belongs to another program."""

    code: ClassVar[str] = "embedded_port_taken"


def disk_full(path: Path) -> DiskFull:
    """The error for a full disk under ``path``."""
    return DiskFull(f"The disk that holds {path} is full; free some space and start again.")


@contextmanager
def disk_troubles(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals on the way to ``path`` into our errors."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(path) from error
        if error.errno == errno.EROFS:
            raise DirectoryUnusable(
                f"{path} is on a read-only file system; choose another data directory."
            ) from error
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise DirectoryUnusable(
                f"This account may not write to {error.filename or path}; change its owner"
                " or choose another data directory."
            ) from error
        raise DirectoryUnusable(
            f"{error.filename or path} cannot be used: {error.strerror}."
        ) from error


def has_room(path: Path, *, mebibytes: int) -> bool:
    """Whether the disk under ``path`` has that much left for ordinary accounts."""
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize >= mebibytes * 1024 * 1024
