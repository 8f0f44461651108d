"""Media: pictures in one folder or one bucket, each named by the hash of its bytes.

A name by content never changes its meaning, so browsers and caches may keep it for ever, the same
picture is stored once, and storing it again after a crash is harmless. Replicas of the web share
the folder, or ask the bucket.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import ClassVar, Final, Protocol

from packhouse.foundation.errors import NotFound, Outage

_KEY: Final = re.compile(
    r"([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}(?:\.w[0-9]{2,4})?\.[a-z0-9]{2,5}"
)

MEDIA_URL: Final = "/media/"
"""Where the web serves the folder."""


class MediaUnavailable(Outage):
    """Media cannot be read or written: a disk is full, read-only or away, or a bucket is."""

    code: ClassVar[str] = "media_unavailable"


class Media(Protocol):
    """Where pictures are kept. ``put``, ``write``, ``read`` and ``has`` block: call them in a
    thread. All raise ``MediaUnavailable``."""

    def put(self, data: bytes, suffix: str) -> str:
        """Store ``data`` for good and give its key."""

    def write(self, name: str, data: bytes) -> None:
        """Store ``data`` under a name that follows from a key; what has it already stays."""

    def read(self, key: str) -> bytes:
        """The bytes of a key. Raises ``NotFound`` for what is no key, or not stored."""

    def has(self, name: str) -> bool:
        """Whether something is stored under this name."""

    def url_of(self, key: str) -> str:
        """The address of a key, on this shop or on the CDN before it."""


def key_of(data: bytes, suffix: str) -> str:
    """The key that ``data`` has or would have: ``ab/cd/abcd….webp`` for the suffix ``webp``."""
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest}.{suffix}"


def require_key(key: str) -> None:
    """Refuse what is no key. Raises ``NotFound``: nothing else in the store is for the public."""
    if _KEY.fullmatch(key) is None:
        raise NotFound("There is no such picture.")


class MediaFolder:
    """A folder of files by content."""

    def __init__(self, path: Path, *, origin: str = "") -> None:
        self._path = path
        self._origin = origin

    def put(self, data: bytes, suffix: str) -> str:
        """Store ``data`` for good and give its key. Raises ``MediaUnavailable``."""
        key = key_of(data, suffix)
        self.write(key, data)
        return key

    def write(self, name: str, data: bytes) -> None:
        """Store ``data`` under this name, unless it has something. Raises ``MediaUnavailable``."""
        path = self._path / name
        try:
            if not path.exists():
                _write_whole(path, data)
        except OSError as error:
            raise MediaUnavailable(
                f"The picture could not be stored: {error.strerror or error}. See that the media"
                " folder (PACKHOUSE_MEDIA_URL or PACKHOUSE_MEDIA_DIRECTORY) can be written and"
                " has room.",
                cause=type(error).__name__,
            ) from error

    def read(self, key: str) -> bytes:
        """The bytes of a key. Raises ``NotFound`` for what is no key, or not stored."""
        require_key(key)
        try:
            return (self._path / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound("There is no such picture.") from error

    def has(self, name: str) -> bool:
        """Whether something is stored under this name."""
        return (self._path / name).is_file()

    def url_of(self, key: str) -> str:
        """The address of a key, on this shop or on the CDN before it."""
        return f"{self._origin}{MEDIA_URL}{key}"


def _write_whole(path: Path, data: bytes) -> None:
    """All of the file under its name, or nothing: also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            # mkstemp gives the owner alone access; a web server beside us may serve the folder.
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - a rename by name, not by an object
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108 - as above
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
