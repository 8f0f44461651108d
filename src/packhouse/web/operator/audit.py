"""The audit log: who did what to what, when and why."""

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import get

from packhouse.plumbing.audit import AuditEntry, list_audit_entries
from packhouse.plumbing.postgres import ReadConnection
from packhouse.web.context import context_of
from packhouse.web.operator.forms import PageRequest
from packhouse.web.operator.frame import Page, address, operator_page, search_of
from packhouse.web.queries import read_cursor, write_cursor

ENTRIES_PAGE: Final = 50
READ_AT_ONCE: Final = 500
READ_MAX: Final = 5_000
"""How far one page of acts looks back past the calls in between."""

LOOK: Final = "call"
"""The action of a look at a page or an address; everything else is an act."""


class ActsPage(msgspec.Struct, frozen=True):
    """Acts, newest first, and after which entry to go on; None at the log's end."""

    entries: tuple[AuditEntry, ...]
    older_than: UUID | None


async def list_acts(connection: ReadConnection, *, before: UUID | None, limit: int) -> ActsPage:
    """The newest acts older than ``before``; a page may be short where staff looked a lot."""
    acts: list[AuditEntry] = []
    for _ in range(READ_MAX // READ_AT_ONCE):
        entries = await list_audit_entries(connection, before=before, limit=READ_AT_ONCE)
        for entry in entries:
            if entry.action == LOOK:
                continue
            acts.append(entry)
            if len(acts) == limit:
                return ActsPage(tuple(acts), entry.id)
        if len(entries) < READ_AT_ONCE:
            return ActsPage(tuple(acts), None)
        before = entries[-1].id
    return ActsPage(tuple(acts), before)


@get("/audit-log")
async def show_audit_log(request: PageRequest) -> Page:
    """Acts, or every look as well."""
    search = search_of(request, "show", "before")
    before = read_cursor(search["before"], UUID)
    shows_all = search["show"] == "all"
    async with context_of(request.scope).house.database.reading() as connection:
        if shows_all:
            entries = await list_audit_entries(connection, before=before, limit=ENTRIES_PAGE)
            last = entries[-1].id if len(entries) == ENTRIES_PAGE else None
            found = ActsPage(tuple(entries), last)
        else:
            found = await list_acts(connection, before=before, limit=ENTRIES_PAGE)
    values = {
        "rows": [audit_row(entry) for entry in found.entries],
        "tabs": [
            {"label": "Acts", "href": "/admin/audit-log", "is_current": not shows_all},
            {
                "label": "Everything, looks too",
                "href": "/admin/audit-log?show=all",
                "is_current": shows_all,
            },
        ],
        "more_href": None
        if found.older_than is None
        else address(
            "/admin/audit-log",
            show="all" if shows_all else "",
            before=write_cursor(found.older_than),
        ),
    }
    return await operator_page(request, "audit_log.html", values)


def audit_row(entry: AuditEntry) -> dict[str, Any]:
    """An entry as pages show it, with a link to its subject where that has a page."""
    kind, _, key = entry.subject.partition(":")
    pages = {
        "shipping_request": f"/admin/shipping/{key}",
        "card": f"/admin/stock/{key}",
        "pack": f"/admin/packs/{key}",
        "user": f"/admin/users/{key}",
    }
    return {
        "entry": entry,
        "action": entry.action.replace("_", " ").capitalize(),
        "subject": _short(kind, key, entry.subject),
        "href": pages.get(kind),
        "details": msgspec.json.format(msgspec.json.encode(entry.details), indent=2).decode()
        if entry.details
        else "",
    }


def _short(kind: str, key: str, subject: str) -> str:
    if kind == "shipping_request":
        return f"parcel {key[-8:].upper()}"
    if kind in {"card", "user"}:
        return f"{kind} …{key[-8:]}"
    return subject.replace("pack:", "pack ").replace("file:", "file ")


AUDIT_HANDLERS = [show_audit_log]
