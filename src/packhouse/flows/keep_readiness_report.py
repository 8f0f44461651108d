"""A look at the shop's readiness is kept: that it began, and what it found.

Two rows of their own, so there are no locks; a process that ends in between leaves a look without
an end, which nobody takes for a report.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from packhouse.foundation.identifiers import new_id
from packhouse.house import House
from packhouse.plumbing.kept_reports import insert_readiness_report, update_readiness_report


async def begin_readiness_report(house: House) -> UUID:
    """Note that somebody looks."""
    report_id = new_id()
    async with house.database.transaction() as connection:
        await insert_readiness_report(connection, report_id, now=house.clock())
    return report_id


async def end_readiness_report(house: House, report_id: UUID, report: Mapping[str, Any]) -> None:
    """Keep what was found, and drop the oldest reports."""
    async with house.database.transaction() as connection:
        await update_readiness_report(connection, report_id, report)
