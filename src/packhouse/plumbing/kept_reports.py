"""Reports of readiness as PostgreSQL keeps them: the newest few, whichever process made them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from packhouse.plumbing.postgres import Connection
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")

REPORTS_KEPT: Final = 50


class KeptReport(msgspec.Struct, frozen=True):
    """One look; ``report`` is None while it goes on, or where its process ended in between."""

    id: UUID
    begun_at: datetime
    report: dict[str, Any] | None


async def insert_readiness_report(
    connection: Connection, report_id: UUID, *, now: datetime
) -> None:
    """A look begins."""
    await connection.execute(QUERIES["insert_readiness_report"], report_id, now)


async def update_readiness_report(
    connection: Connection, report_id: UUID, report: Mapping[str, Any]
) -> None:
    """It has ended; the oldest beyond ``REPORTS_KEPT`` go."""
    await connection.execute(QUERIES["update_readiness_report"], report_id, dict(report))
    await connection.execute(QUERIES["delete_old_readiness_reports"], REPORTS_KEPT - 1)


async def list_readiness_reports(connection: Connection, *, limit: int) -> list[KeptReport]:
    """The newest first."""
    rows = await connection.fetch(QUERIES["list_readiness_reports"], limit)
    return [KeptReport(**row) for row in rows]
