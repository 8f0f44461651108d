"""Sessions: who sends a request, by the secret in its cookie.

The table holds only the SHA-256 of each token, so that whoever reads it can sign in as nobody; a
token is 256 random bits, so a plain hash is enough. Every sign-in makes a new token: one that was
planted in a browser before is worth nothing after it.

Law held here: a session that was ended is dead on every instance within a second, and a write
always asks PostgreSQL itself. A write that does so in a query of its own needs to know only whose
the token is, which never changes.

Visitors come back every few seconds, so most questions do reach PostgreSQL. One goes at once; while
it is on its way the others gather, and go as one query: what costs is the query, not the session.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from packhouse.accounts.model import NewSession, SessionUser
from packhouse.accounts.store import list_sessions
from packhouse.foundation.identifiers import UserId
from packhouse.plumbing.entropy import Entropy
from packhouse.plumbing.postgres import Database

SESSIONS_PER_USER_MAX: Final = 20
"""Signing in once more ends the oldest one."""

REMEMBERED_SECONDS_MAX: Final = 1.0
REMEMBERED_SESSIONS_MAX: Final = 10_000
"""About 10 MB in one process; the second's busiest visitors fit many times over."""

SESSIONS_PER_QUESTION_MAX: Final = 200

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


class Remembered(msgspec.Struct, frozen=True):
    """An answer, and when its question began; ``user`` may have expired since."""

    user: SessionUser | None
    loaded_at: float


class SessionReader:
    """Finds sessions, and remembers each answer for up to a second: one reader for a process."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._remembered: dict[bytes, Remembered] = {}
        self._waiting: dict[bytes, asyncio.Future[SessionUser | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def find(
        self,
        database: Database,
        token_hash: bytes,
        *,
        now: datetime,
        fresh: bool = False,
        is_checked_later: bool = False,
    ) -> SessionUser | None:
        """Who holds the token. ``fresh``, for whatever writes, asks PostgreSQL itself.

        Where it ``is_checked_later``, an answer of any age is enough that would let its user act.
        """
        if is_checked_later and (holder := self.find_holder(token_hash, now=now)) is not None:
            return holder
        if not fresh and (remembered := self._find_remembered(token_hash)) is not None:
            return _unless_expired(remembered.user, now=now)
        answer = self._waiting.get(token_hash)
        if answer is None:
            answer = self._waiting[token_hash] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            # In a context of its own: it asks for several requests, under the id of none.
            self._asking = asyncio.create_task(self._ask(database, now), context=Context())
        # Whoever gives up must not take the answer away from others who wait for the same session.
        return _unless_expired(await asyncio.shield(answer), now=now)

    def find_holder(self, token_hash: bytes, *, now: datetime) -> SessionUser | None:
        """Who held the token when it was last asked about, if that session would still let act.

        Enough for counting requests; whoever shows or does anything for its holder checks it.
        """
        remembered = self._remembered.get(token_hash)
        if remembered is None or remembered.user is None or remembered.user.suspended_at:
            return None
        return _unless_expired(remembered.user, now=now)

    def _find_remembered(self, token_hash: bytes) -> Remembered | None:
        """What was answered less than a second ago, without asking; None if nothing was."""
        remembered = self._remembered.get(token_hash)
        if remembered is None:
            return None
        is_fresh = self._monotonic() - remembered.loaded_at < REMEMBERED_SECONDS_MAX
        return remembered if is_fresh else None

    async def _ask(self, database: Database, now: datetime) -> None:
        """Ask for all who wait, as long as somebody does."""
        try:
            while self._waiting:
                taken = dict(islice(self._waiting.items(), SESSIONS_PER_QUESTION_MAX))
                for token_hash in taken:
                    del self._waiting[token_hash]
                await self._answer(database, taken, now)
        finally:
            self._asking = None

    async def _answer(
        self,
        database: Database,
        taken: Mapping[bytes, "asyncio.Future[SessionUser | None]"],
        now: datetime,
    ) -> None:
        # Measured from before the question is asked: what PostgreSQL answers may have changed while
        # the answer was on its way.
        started_at = self._monotonic()
        try:
            async with database.connection() as connection:
                found = await list_sessions(connection, list(taken), now=now)
        except Exception as error:  # noqa: BLE001 - raised to everybody who waits for it
            for answer in taken.values():
                answer.set_exception(error)
                # Somebody may have stopped waiting for it.
                answer.exception()
            return
        for token_hash, answer in taken.items():
            user = found.get(token_hash)
            self._remember(token_hash, Remembered(user=user, loaded_at=started_at))
            answer.set_result(user)

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

    def _remember(self, token_hash: bytes, remembered: Remembered) -> None:
        # Taken out first, so that the dict keeps the order of loading and its head is the oldest.
        self._remembered.pop(token_hash, None)
        if len(self._remembered) >= REMEMBERED_SESSIONS_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token_hash] = remembered


def _unless_expired(user: SessionUser | None, *, now: datetime) -> SessionUser | None:
    return None if user is None or user.expires_at <= now else user
