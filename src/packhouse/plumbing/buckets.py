"""Media in a bucket of an object store: S3 and what speaks like it (R2, MinIO, Garage, Ceph).

Credentials, region and endpoint are the standard ``AWS_*`` variables of the process. A store that
is away costs its callers some seconds and then an Outage; pages need none of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from packhouse.foundation.errors import NotFound
from packhouse.plumbing.settings import Settings
from packhouse.plumbing.storage import (
    MEDIA_URL,
    Media,
    MediaFolder,
    MediaUnavailable,
    key_of,
    require_key,
)

ANSWER_SECONDS_MAX: Final = 5
RETRIES_MAX: Final = 2
KEPT: Final = "public, max-age=31536000, immutable"
"""What a CDN that reads the bucket itself is told, as the shop would tell it."""


def open_media(settings: Settings) -> Media:
    """The bucket or folder of ``PACKHOUSE_MEDIA_URL``, else ``PACKHOUSE_MEDIA_DIRECTORY``."""
    origin = settings.assets_url or ""
    if settings.media_url is None:
        return MediaFolder(settings.media_directory, origin=origin)
    parts = urlsplit(settings.media_url)
    if parts.scheme == "s3":
        return MediaBucket(parts.netloc, parts.path.strip("/"), origin=origin)
    path = unquote(parts.path) if parts.scheme == "file" else settings.media_url
    return MediaFolder(Path(path), origin=origin)


class MediaBucket:
    """A bucket, or what in it has one prefix."""

    def __init__(self, bucket: str, prefix: str = "", *, origin: str = "") -> None:
        self._origin = origin
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            # An endpoint without TLS is the owner's word: AWS_ENDPOINT_URL says so or not.
            client_options={
                "allow_http": True,
                "timeout": timedelta(seconds=ANSWER_SECONDS_MAX),
                "connect_timeout": timedelta(seconds=ANSWER_SECONDS_MAX),
            },
            retry_config={
                "max_retries": RETRIES_MAX,
                "retry_timeout": timedelta(seconds=ANSWER_SECONDS_MAX),
                "backoff": {
                    "base": 2,
                    "init_backoff": timedelta(milliseconds=50),
                    "max_backoff": timedelta(milliseconds=500),
                },
            },
        )

    def put(self, data: bytes, suffix: str) -> str:
        """Store ``data`` for good and give its key. Raises ``MediaUnavailable``."""
        key = key_of(data, suffix)
        self.write(key, data)
        return key

    def write(self, name: str, data: bytes) -> None:
        """Store ``data`` under this name, unless it has something. Raises ``MediaUnavailable``."""
        if self.has(name):
            return
        media_type = f"image/{name.rpartition('.')[2]}".replace("image/jpg", "image/jpeg")
        try:
            with _outages():
                obstore.put(
                    self._store,
                    name,
                    data,
                    attributes={"Content-Type": media_type, "Cache-Control": KEPT},
                )
        except FileNotFoundError as error:
            raise MediaUnavailable(
                "There is no such bucket. See PACKHOUSE_MEDIA_URL.", cause="NoSuchBucket"
            ) from error

    def read(self, key: str) -> bytes:
        """The bytes of a key. Raises ``NotFound``, ``MediaUnavailable``."""
        require_key(key)
        try:
            with _outages():
                return bytes(obstore.get(self._store, key).bytes())
        except FileNotFoundError as error:
            raise NotFound("There is no such picture.") from error

    def has(self, name: str) -> bool:
        """Whether something is stored under this name. Raises ``MediaUnavailable``."""
        try:
            with _outages():
                obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        return True

    def url_of(self, key: str) -> str:
        """The address of a key, on this shop or on the CDN before it."""
        return f"{self._origin}{MEDIA_URL}{key}"


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise MediaUnavailable(
            "The object store that keeps pictures does not answer as it should. See"
            " PACKHOUSE_MEDIA_URL and the AWS_* variables of this process.",
            cause=type(error).__name__,
        ) from error
