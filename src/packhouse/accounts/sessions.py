"""Sessions: who sends a request, by the secret in its cookie.

The table holds only the SHA-256 of each token, so that whoever reads it can sign in as nobody; a
token is 256 random bits, so a plain hash is enough. Every sign-in makes a new token: one that was
planted in a browser before is worth nothing after it.

Law held here: a session that was ended is dead on every instance within a second, and a write
always asks PostgreSQL itself.
"""

import base64
import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from packhouse.accounts.model import NewSession, SessionUser
from packhouse.accounts.store import find_session
from packhouse.foundation.identifiers import UserId
from packhouse.plumbing.entropy import Entropy
from packhouse.plumbing.postgres import Database

SESSIONS_PER_USER_MAX: Final = 20
"""Signing in once more ends the oldest one."""

REMEMBERED_SECONDS_MAX: Final = 1.0
REMEMBERED_SESSIONS_MAX: Final = 10_000
"""About 10 MB in one process; the second's busiest visitors fit many times over."""

_TOKEN_BYTES: Final = 32


def new_session(
    user_id: UserId, *, entropy: Entropy, now: datetime, ttl_seconds: int
) -> NewSession:
    """A session with a fresh token of 43 characters that are safe in a cookie."""
    token = base64.urlsafe_b64encode(entropy(_TOKEN_BYTES)).rstrip(b"=").decode()
    return NewSession(
        user_id=user_id,
        token=token,
        token_hash=hash_token(token),
        created_at=now,
        expires_at=now + timedelta(seconds=ttl_seconds),
    )


def hash_token(token: str) -> bytes:
    """The key under which a token's session is kept; any text may be asked about."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class _Remembered(msgspec.Struct, frozen=True):
    user: SessionUser | None
    loaded_at: float


class SessionReader:
    """Finds sessions, and remembers each answer for up to a second: one reader for a process."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._remembered: dict[bytes, _Remembered] = {}

    async def find(
        self, database: Database, token_hash: bytes, *, now: datetime, fresh: bool = False
    ) -> SessionUser | None:
        """Who holds the token. ``fresh``, for whatever writes, asks PostgreSQL itself."""
        remembered = self._remembered.get(token_hash)
        # Measured from before the question was asked: what PostgreSQL answered may have changed
        # while the answer was on its way.
        started_at = self._monotonic()
        if (
            not fresh
            and remembered is not None
            and started_at - remembered.loaded_at < REMEMBERED_SECONDS_MAX
        ):
            return _unless_expired(remembered.user, now=now)
        async with database.connection() as connection:
            user = await find_session(connection, token_hash=token_hash, now=now)
        self._remember(token_hash, _Remembered(user=user, loaded_at=started_at))
        return user

    def forget(self, token_hash: bytes) -> None:
        """Ask anew at the next request of this session, which has just changed here."""
        self._remembered.pop(token_hash, None)

    def forget_user(self, user_id: UUID) -> None:
        """Ask anew at the next request of each session of this user, who has just changed here."""
        stale = [
            token_hash
            for token_hash, remembered in self._remembered.items()
            if remembered.user is not None and remembered.user.user_id == user_id
        ]
        for token_hash in stale:
            del self._remembered[token_hash]

    def _remember(self, token_hash: bytes, remembered: _Remembered) -> None:
        # Taken out first, so that the dict keeps the order of loading and its head is the oldest.
        self._remembered.pop(token_hash, None)
        if len(self._remembered) >= REMEMBERED_SESSIONS_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token_hash] = remembered


def _unless_expired(user: SessionUser | None, *, now: datetime) -> SessionUser | None:
    return None if user is None or user.expires_at <= now else user
