"""Media: pictures in one folder, each named by the hash of its bytes.

A name by content never changes its meaning, so browsers and caches may keep it for ever, the same
picture is stored once, and storing it again after a crash is harmless. Replicas of the web share
the folder.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import ClassVar, Final

from packhouse.foundation.errors import NotFound, Outage

_KEY: Final = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}\.[a-z0-9]{2,5}")

MEDIA_URL: Final = "/media/"
"""Where the web serves the folder."""


class MediaUnavailable(Outage):
    """The media folder cannot be read or written: its disk is full, read-only or away."""

    code: ClassVar[str] = "media_unavailable"


class MediaFolder:
    """A folder of files by content. Its methods block: call them in a thread."""

    def __init__(self, path: Path, *, origin: str = "") -> None:
        self._path = path
        self._origin = origin

    @staticmethod
    def key_of(data: bytes, suffix: str) -> str:
        """The key that ``data`` has or would have: ``ab/cd/abcd….webp`` for the suffix ``webp``."""
        digest = hashlib.sha256(data).hexdigest()
        return f"{digest[:2]}/{digest[2:4]}/{digest}.{suffix}"

    def put(self, data: bytes, suffix: str) -> str:
        """Store ``data`` for good and give its key. Raises ``MediaUnavailable``."""
        key = self.key_of(data, suffix)
        path = self._path / key
        try:
            if not path.exists():
                _write_whole(path, data)
        except OSError as error:
            raise MediaUnavailable(
                f"The picture could not be stored: {error.strerror or error}. See that the media"
                " folder (PACKHOUSE_MEDIA_DIRECTORY) can be written and has room.",
                cause=type(error).__name__,
            ) from error
        return key

    def path_of(self, key: str) -> Path:
        """Where the file of a key lies. Raises ``NotFound`` for what is no key, or not stored."""
        path = self._path / key
        if _KEY.fullmatch(key) is None or not path.is_file():
            raise NotFound("There is no such picture.")
        return path

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
