"""Import a catalogue and its stock: all of a file, or nothing.

Locks: the import's advisory lock (one import at a time), then pack_pauses. New rows are nobody
else's yet, and cards are changed by imports alone.
"""

import asyncio
import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice

import msgspec

from packhouse import catalog
from packhouse.catalog import (
    IMPORT_LINES_SHOWN_MAX,
    ImportFile,
    ImportPlan,
    ImportRefused,
    ImportReport,
    ProblemList,
    Progress,
)
from packhouse.flows.announcements import stock_added
from packhouse.foundation.identifiers import CardId, new_id
from packhouse.foundation.jobs import MakePictureForms
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.jobs import enqueue_jobs
from packhouse.plumbing.outbox import insert_events
from packhouse.plumbing.picture_forms import store_picture
from packhouse.plumbing.pictures import (
    NoPictures,
    PictureRefused,
    PictureSource,
    reencode_picture,
)
from packhouse.plumbing.postgres import Connection
from packhouse.plumbing.storage import Media, key_of

PICTURES_AT_ONCE = 2
"""Pictures decoded at the same time; each may need 150 MiB for a moment."""


class ImportCatalog(msgspec.Struct, frozen=True, kw_only=True):
    """A file to import, CSV or JSON, and where the pictures it names are."""

    content: bytes
    file_name: str
    actor: Actor
    dry_run: bool = False
    pictures: PictureSource = NoPictures()
    lines_shown_max: int = IMPORT_LINES_SHOWN_MAX


class _Standing(msgspec.Struct, frozen=True):
    """The plan against the catalogue as it stands, and when this very file came before."""

    plan: ImportPlan
    imported_at: datetime | None


def no_progress(stage: str, completed: int, total: int) -> None:
    """Tell nobody."""


async def import_catalog(
    house: House, command: ImportCatalog, *, progress: Progress = no_progress
) -> ImportReport:
    """Import the file and give what was done; a dry run stops before the first write.

    Raises ``ImportRefused`` with every problem of the file, and ``ImportRunning``. Pictures are
    stored before the transaction: after a failure they lie unused, and a repeat finds them.
    """
    problems = ProblemList()
    file = await asyncio.to_thread(
        catalog.read_import_file, command.content, problems, progress=progress
    )
    pictures = await asyncio.to_thread(
        _take_pictures, file, problems, command, media=house.media, progress=progress
    )
    sha256 = hashlib.sha256(command.content).digest()
    async with house.database.transaction() as connection:
        await catalog.require_only_import(connection)
        standing = await _plan(connection, file, problems, pictures=pictures, sha256=sha256)
        if problems.count:
            raise ImportRefused(
                problems.shown(), file_name=command.file_name, problem_count=problems.count
            )
        report = _report(command, file, standing, pictures=len(pictures), sha256=sha256)
        if not command.dry_run:
            await _write(connection, command, report, standing.plan, house.clock(), progress)
            await enqueue_jobs(connection, [MakePictureForms(key) for key in {*pictures.values()}])
    if not command.dry_run:
        house.cards.forget()
    return report


def _take_pictures(
    file: ImportFile,
    problems: ProblemList,
    command: ImportCatalog,
    *,
    media: Media,
    progress: Progress,
) -> dict[str, str]:
    """The media key of each picture that the file names; stored unless nothing will come of it."""
    wanted = file.pictures
    is_storing = not command.dry_run and not problems.count

    def take(name: str) -> str | PictureRefused:
        try:
            data = command.pictures.find_picture(name)
            if data is None:
                return PictureRefused("there is no such file among the pictures of this import")
            if is_storing:
                return store_picture(media, data)
            return key_of(reencode_picture(data).webp, "webp")
        except PictureRefused as error:
            return error

    keys: dict[str, str] = {}
    with ThreadPoolExecutor(PICTURES_AT_ONCE, thread_name_prefix="pictures") as threads:
        for number, (name, key) in enumerate(zip(wanted, threads.map(take, wanted), strict=True)):
            if isinstance(key, PictureRefused):
                line, column = wanted[name]
                problems.add(line, column, name, key.message)
            else:
                keys[name] = key
            progress("pictures", number + 1, len(wanted))
    return keys


async def _plan(
    connection: Connection,
    file: ImportFile,
    problems: ProblemList,
    *,
    pictures: dict[str, str],
    sha256: bytes,
) -> _Standing:
    known_cards = await catalog.list_cards_by_key(connection, file.cards.values())
    known_certificates = await catalog.list_known_certificates(
        connection, file.copies, cards=known_cards
    )
    plan = await asyncio.to_thread(
        catalog.plan_import,
        file,
        problems,
        known_cards=known_cards,
        known_certificates=known_certificates,
        pictures=pictures,
        make_id=new_id,
    )
    imported_at = await catalog.find_catalog_import(connection, sha256)
    return _Standing(plan=plan, imported_at=imported_at)


def _report(
    command: ImportCatalog, file: ImportFile, standing: _Standing, *, pictures: int, sha256: bytes
) -> ImportReport:
    plan = standing.plan
    new_copies = plan.new_copies()
    cards_added, cards_changed = len(plan.new_cards()), len(plan.changed_cards())
    copies_added = sum(copy.row.quantity for copy in new_copies)
    all_lines = len(plan.cards) + len(plan.copies)
    lines = tuple(islice(catalog.list_lines(plan), command.lines_shown_max))
    warnings = []
    if standing.imported_at is not None:
        warnings.append(
            f"This very file was imported on {standing.imported_at:%Y-%m-%d at %H:%M} UTC;"
            f" importing it again adds {copies_added:,} copies."
        )
    return ImportReport(
        file_name=command.file_name,
        sha256=sha256.hex(),
        dry_run=command.dry_run,
        rows=file.rows,
        cards_added=cards_added,
        cards_changed=cards_changed,
        cards_unchanged=len(plan.cards) - cards_added - cards_changed,
        copies_added=copies_added,
        copies_on_sale=sum(c.row.quantity for c in new_copies if c.row.place == "on_sale"),
        copies_known=len(plan.copies) - len(new_copies),
        pictures=pictures,
        warnings=tuple(warnings),
        lines=lines,
        lines_left_out=all_lines - len(lines),
    )


async def _write(
    connection: Connection,
    command: ImportCatalog,
    report: ImportReport,
    plan: ImportPlan,
    now: datetime,
    progress: Progress,
) -> None:
    copies = plan.new_copies()
    await catalog.insert_cards(connection, plan.new_cards(), now=now, progress=progress)
    await catalog.update_cards(connection, plan.changed_cards(), now=now)
    await catalog.insert_copies(connection, copies, now=now, progress=progress)
    on_sale: Counter[CardId] = Counter()
    for copy in copies:
        if copy.row.place == "on_sale":
            on_sale[copy.card.id] += copy.row.quantity
    await catalog.delete_pack_pauses_for_cards(connection, on_sale)
    await insert_events(connection, stock_added(on_sale, now=now))
    await catalog.insert_catalog_import(
        connection, sha256=bytes.fromhex(report.sha256), file_name=command.file_name, now=now
    )
    figures = msgspec.to_builtins(report)
    await insert_audit_entry(
        connection,
        actor=command.actor,
        action="import_catalog",
        subject=f"file:{command.file_name}",
        reason=None,
        details={
            name: value
            for name, value in figures.items()
            if name not in {"file_name", "dry_run", "lines", "lines_left_out"}
        },
        now=now,
    )
