"""Idempotency: the same key and body gets the first successful answer again, never a second effect.

The answer is recorded in the effect's own transaction, so there is no moment in which one exists
without the other; a refusal records nothing and may be tried again. Scope: user, route, key.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, TypeVar
from uuid import UUID

import msgspec

from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import IDEMPOTENCY_KEY_LENGTH_MAX
from packhouse.plumbing.postgres import Connection
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")

Answer = TypeVar("Answer", bound=msgspec.Struct)


class IdempotencyKeyReused(Refusal):
    """The key was used before with another body."""

    code: ClassVar[str] = "idempotency_key_reused"


class IdempotencyKeyRequired(Refusal):
    """A paid or irreversible request came without its key, or with a malformed one."""

    code: ClassVar[str] = "idempotency_key_required"


class Repeat(msgspec.Struct, frozen=True):
    """What makes two requests the same one: who, where, which key, and the hash of the body."""

    user_id: UUID
    route: str
    key: str
    request_hash: bytes


def recognise(*, user_id: UUID, route: str, key: str | None, request: msgspec.Struct) -> Repeat:
    """Check the key and fingerprint the parsed request. Raises ``IdempotencyKeyRequired``."""
    if key is None or not key.strip():
        raise IdempotencyKeyRequired(
            "This request needs an Idempotency-Key header: any text of your own, new for each"
            " purchase, so that a repeated request is never paid twice."
        )
    if len(key) > IDEMPOTENCY_KEY_LENGTH_MAX or not key.isprintable():
        raise IdempotencyKeyRequired(
            f"The Idempotency-Key may have at most {IDEMPOTENCY_KEY_LENGTH_MAX} printable"
            " characters."
        )
    fingerprint = hashlib.sha256(msgspec.json.encode(request, order="deterministic")).digest()
    return Repeat(user_id=user_id, route=route, key=key, request_hash=fingerprint)


async def find_answer(
    connection: Connection, repeat: Repeat, answer_type: type[Answer]
) -> Answer | None:
    """The first answer, when there was one. Raises ``IdempotencyKeyReused``."""
    row = await connection.fetchrow(
        QUERIES["find_answer"], repeat.user_id, repeat.route, repeat.key
    )
    if row is None:
        return None
    require_same_request(repeat, row["request_hash"])
    return msgspec.json.decode(row["answer"], type=answer_type)


def require_same_request(repeat: Repeat, request_hash: bytes) -> None:
    """The body that a key was recorded with. Raises ``IdempotencyKeyReused`` for another one."""
    if request_hash != repeat.request_hash:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used before with another request. Use a new key."
        )


async def delete_answers(connection: Connection, user_id: UUID) -> None:
    """Forget what a user was answered, who will not ask again."""
    await connection.execute(QUERIES["delete_answers"], user_id)


async def insert_answers(
    connection: Connection, answers: Sequence[tuple[Repeat, msgspec.Struct]], *, now: datetime
) -> set[UUID]:
    """Record answers; gives the users whose answer was recorded, not those who were too late."""
    rows = await connection.fetch(
        QUERIES["insert_answers"],
        [repeat.user_id for repeat, _ in answers],
        [repeat.route for repeat, _ in answers],
        [repeat.key for repeat, _ in answers],
        [repeat.request_hash for repeat, _ in answers],
        [msgspec.json.encode(answer).decode() for _, answer in answers],
        now,
    )
    return {row["user_id"] for row in rows}
