"""The audit log: every act of staff, with who, when and why, in the act's own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from packhouse.foundation.identifiers import new_id
from packhouse.plumbing.postgres import Connection, ReadConnection
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")


class Actor(msgspec.Struct, frozen=True):
    """Who acts, and in which request."""

    user_id: UUID
    username: str
    request_id: str


class AuditEntry(msgspec.Struct, frozen=True):
    """One act (or look) of staff."""

    id: UUID
    actor_id: UUID
    actor_name: str
    action: str
    subject: str
    reason: str | None
    details: dict[str, Any]
    request_id: str
    created_at: datetime


async def insert_audit_entry(
    connection: Connection,
    *,
    actor: Actor,
    action: str,
    subject: str,
    reason: str | None,
    details: Mapping[str, Any],
    now: datetime,
) -> None:
    """Write one entry: ``action`` is verb_object, ``subject`` what it was done to."""
    await connection.execute(
        QUERIES["insert_audit_entry"],
        new_id(),
        actor.user_id,
        actor.username,
        action,
        subject,
        reason,
        dict(details),
        actor.request_id,
        now,
    )


async def has_audit_entries(connection: Connection, actor_id: UUID) -> bool:
    """Whether somebody ever acted as staff, so that their name stands in the log."""
    return bool(await connection.fetchval(QUERIES["has_audit_entries"], actor_id))


async def list_audit_entries(
    connection: ReadConnection, *, before: UUID | None, limit: int
) -> list[AuditEntry]:
    """A page of entries, newest first, older than the entry ``before``."""
    rows = await connection.fetch(QUERIES["list_audit_entries"], before, limit)
    return [AuditEntry(**row) for row in rows]
