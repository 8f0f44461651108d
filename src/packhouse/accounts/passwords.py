"""Passwords: hashed by Argon2id (RFC 9106), a few at a time, beside the work of the shop.

A hash costs tens of milliseconds of a core by design. Two threads of our own do nothing else, so
that a crowd signing in waits for itself and never takes the event loop, or every core, from those
who open packs. Argon2 lets go of Python's lock while it works.

Law held here: an unknown address takes the time of a known one, because a decoy is checked for it.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
import msgspec
from argon2.exceptions import VerifyMismatchError

from packhouse.accounts.errors import SignInBusy

HASHING_THREADS: Final = 2
HASHES_WAITING_MAX: Final = 1_000
"""About ten seconds of work for two threads; more would be answered after the visitor has left."""

Result = TypeVar("Result")


class Argon2Cost(msgspec.Struct, frozen=True):
    """What one hash costs: KiB of memory, passes over it, and threads of its own.

    The default is the first that OWASP recommends: 19 MiB and two passes, about 20 ms on a small
    server. RFC 9106's low-memory choice (64 MiB, three passes) took seven times as long, and a
    shop on a small box has both its cores and its 200 MiB to spend on collectors. A hash carries
    its own cost, so a shop that raises it upgrades each account at its next sign-in.
    """

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1


class PasswordHasher:
    """Hashes and checks passwords at one cost. Raises ``SignInBusy`` when too many wait."""

    def __init__(self, cost: Argon2Cost | None = None) -> None:
        chosen = cost or Argon2Cost()
        self._hasher = argon2.PasswordHasher(
            time_cost=chosen.passes, memory_cost=chosen.memory_kib, parallelism=chosen.lanes
        )
        self._threads = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        self._decoy = self._hasher.hash(b"the password of nobody")

    async def hash_password(self, password: str) -> str:
        """A salted hash in PHC string form."""
        return await self._run(lambda: self._hasher.hash(_as_bytes(password)))

    async def is_right(self, password: str, *, password_hash: str | None) -> bool:
        """Whether the hash was made from this password; never for None, which costs the same."""
        is_match = await self._run(
            lambda: self._matches(password, password_hash=password_hash or self._decoy)
        )
        return is_match and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= HASHES_WAITING_MAX:
            raise SignInBusy("Very many people are signing in just now. Try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _matches(self, password: str, *, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _as_bytes(password))
        except VerifyMismatchError:
            return False


def _as_bytes(password: str) -> bytes:
    # NFKC, as NIST SP 800-63B advises: keyboards disagree on how to compose the same letter.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
