"""Uploads kept between looking and importing, so that nobody has to choose their file twice.

They lie in a hidden folder of the media folder, which all instances of the web share, each under a
random name that no address of the shop serves. Only whoever brought an upload can look at it. They
are few and go away by themselves: a catalogue may hold what the shop has not announced yet.
"""

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from packhouse.foundation.errors import NotFound
from packhouse.plumbing.entropy import Entropy
from packhouse.plumbing.storage import MediaUnavailable

KEPT_FOR: Final = timedelta(hours=2)
KEPT_MAX: Final = 20
FOLDER: Final = ".imports"

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")


class UploadLabel(msgspec.Struct, frozen=True):
    """Whose upload it is, what they called it, and when it came."""

    user_id: UUID
    file_name: str
    uploaded_at: datetime


class KeptUpload(msgspec.Struct, frozen=True):
    """A catalogue file and the ZIP of its pictures, which may be missing."""

    label: UploadLabel
    content: bytes
    pictures: bytes | None


class KeptUploads:
    """The uploads of a shop. Its methods block: call them in a thread."""

    def __init__(self, media_directory: Path, *, entropy: Entropy) -> None:
        self._folder = media_directory / FOLDER
        self._entropy = entropy

    def keep(self, upload: KeptUpload) -> str:
        """Keep an upload and give the token it is found by. Raises ``MediaUnavailable``."""
        self._drop_old(now=upload.label.uploaded_at)
        token = self._entropy(16).hex()
        folder = self._folder / token
        try:
            folder.mkdir(parents=True, mode=0o700)
            (folder / "content").write_bytes(upload.content)
            if upload.pictures is not None:
                (folder / "pictures").write_bytes(upload.pictures)
            # Last, because an upload without its label is not found.
            (folder / "label").write_bytes(msgspec.json.encode(upload.label))
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise MediaUnavailable(
                f"The upload could not be kept: {error.strerror or error}. See that the media"
                " folder (PACKHOUSE_MEDIA_DIRECTORY) can be written and has room.",
                cause=type(error).__name__,
            ) from error
        return token

    def get(self, token: str, *, user_id: UUID, now: datetime) -> KeptUpload:
        """The upload that this user brought. Raises ``NotFound``, also when it is too old."""
        label = self._label(token) if _TOKEN.fullmatch(token) else None
        if label is None or label.user_id != user_id or now - label.uploaded_at > KEPT_FOR:
            raise NotFound("This upload is not kept any more. Choose the file again.")
        folder = self._folder / token
        try:
            pictures = folder / "pictures"
            return KeptUpload(
                label=label,
                content=(folder / "content").read_bytes(),
                pictures=pictures.read_bytes() if pictures.exists() else None,
            )
        except OSError as error:
            raise NotFound("This upload is not kept any more. Choose the file again.") from error

    def drop(self, token: str) -> None:
        """Forget an upload; one that is gone already is fine."""
        if _TOKEN.fullmatch(token):
            shutil.rmtree(self._folder / token, ignore_errors=True)

    def _label(self, token: str) -> UploadLabel | None:
        try:
            return msgspec.json.decode(
                (self._folder / token / "label").read_bytes(), type=UploadLabel
            )
        except (OSError, msgspec.DecodeError):
            return None

    def _drop_old(self, *, now: datetime) -> None:
        """Make room: what is too old goes, then the oldest."""
        kept: list[tuple[datetime, str]] = []
        for token in self._tokens():
            label = self._label(token)
            if label is None or now - label.uploaded_at > KEPT_FOR:
                self.drop(token)
            else:
                kept.append((label.uploaded_at, token))
        for _, token in sorted(kept)[: max(0, len(kept) - KEPT_MAX + 1)]:
            self.drop(token)

    def _tokens(self) -> Iterator[str]:
        if self._folder.is_dir():
            yield from (entry.name for entry in self._folder.iterdir())
