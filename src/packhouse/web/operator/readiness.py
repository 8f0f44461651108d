"""What must be true before a public launch, as it was last looked at, and how to look again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from litestar import get, post

from packhouse.flows.keep_readiness_report import begin_readiness_report, end_readiness_report
from packhouse.house import House
from packhouse.plumbing.kept_reports import KeptReport, list_readiness_reports
from packhouse.plumbing.logging import get_log
from packhouse.readiness import Shop, as_json, report_readiness
from packhouse.web.context import context_of
from packhouse.web.operator.forms import PageRequest
from packhouse.web.operator.frame import Page, back_to, operator_page

log = get_log(__name__)

LOOK_LASTS_MAX: Final = timedelta(minutes=20)
"""A look without an end after that was broken off."""
DONE: Final = {"begun": "The shop is being looked at; come back to this page in some seconds."}

_looks: Final[set[asyncio.Task[None]]] = set()
"""Those that go on in this process: the event loop itself does not hold on to its tasks."""


@get("/readiness")
async def show_readiness(request: PageRequest) -> Page:
    """The last report, musts first."""
    house = context_of(request.scope).house
    newest = await list_looks(house)
    report = next((each.report for each in newest if each.report is not None), None)
    lines = [] if report is None else report["checks"]
    values = {
        "report": report,
        "looked_at": None if report is None else datetime.fromisoformat(report["begun_at"]),
        "is_looking": is_going_on(house, newest),
        "groups": [
            {"title": title, "lines": [line for line in lines if line["must"] is must]}
            for must, title in ((True, "Must hold"), (False, "Good to have"))
        ],
        "failed_musts": sum(line["must"] and line["result"] == "fail" for line in lines),
        "failed_others": sum(not line["must"] and line["result"] == "fail" for line in lines),
    }
    return await operator_page(request, "readiness.html", values, done=DONE)


@post("/readiness")
async def look_again(request: PageRequest) -> Page:
    """Begin a look, unless one is going on."""
    house = context_of(request.scope).house
    if not is_going_on(house, await list_looks(house)):
        look = asyncio.create_task(_look(house, await begin_readiness_report(house)))
        _looks.add(look)
        look.add_done_callback(_looks.discard)
    return back_to("/admin/readiness", done="begun")


async def list_looks(house: House) -> list[KeptReport]:
    """The newest looks."""
    async with house.database.connection() as connection:
        return await list_readiness_reports(connection, limit=5)


def is_going_on(house: House, looks: list[KeptReport]) -> bool:
    """Whether the newest look has neither ended nor been broken off."""
    return bool(
        looks and looks[0].report is None and looks[0].begun_at > house.clock() - LOOK_LASTS_MAX
    )


async def _look(house: House, report_id: UUID) -> None:
    try:
        report: dict[str, Any] = as_json(await report_readiness(Shop.of(house)))
        await end_readiness_report(house, report_id, report)
    except Exception:
        log.exception("A look at the shop's readiness failed")


READINESS_HANDLERS = [show_readiness, look_again]
