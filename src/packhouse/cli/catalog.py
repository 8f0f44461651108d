"""``packhouse catalog import FILE``: cards and their copies from a file, all of it or nothing."""

import asyncio
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from packhouse import catalog
from packhouse.catalog import ImportRefused, ImportReport
from packhouse.cli.shop import DataOption, plain_errors, shop_settings_for_command
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.foundation.errors import PackhouseError
from packhouse.foundation.identifiers import new_id
from packhouse.foundation.limits import IMPORT_ROWS_MAX
from packhouse.house import open_house
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.pictures import FolderPictures
from packhouse.plumbing.settings import Settings

TERMINAL_ACTOR_ID: Final = UUID(int=0)
"""Who the audit log says acted at the terminal; the name beside it is the system account's."""

PICTURE_FOLDER: Final = "pictures"

_STAGES: Final = {
    "read": "Reading the file",
    "pictures": "Preparing pictures",
    "cards": "Adding cards",
    "stock_items": "Adding copies",
}


def import_catalog_command(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A CSV or JSON file of cards.")
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say line by line what would happen, and stop.")
    ] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="The folder of the pictures that the file names; `pictures` beside FILE if not"
            " given.",
        ),
    ] = None,
    data: DataOption = None,
) -> None:
    """Import cards and stock from FILE, all of it or nothing.

    The shop is the one that the environment names, as for `packhouse serve`, or else the one that
    `packhouse up` runs. Ends with 1, and every problem with its line on standard error, when
    nothing was imported; with 2 when a setting is wrong.
    """
    with plain_errors():
        settings = shop_settings_for_command(data)
        command = ImportCatalog(
            content=file.read_bytes(),
            file_name=file.name,
            actor=terminal_actor(),
            dry_run=dry_run,
            pictures=FolderPictures(pictures or file.parent / PICTURE_FOLDER),
            lines_shown_max=2 * IMPORT_ROWS_MAX if dry_run else 0,
        )
        try:
            report = asyncio.run(_import(settings, command))
        except ImportRefused as error:
            typer.echo(refusal_text(error), err=True)
            raise typer.Exit(1) from error
    typer.echo(report_text(report))


def terminal_actor() -> Actor:
    """The person at the terminal, as the audit log names them."""
    return Actor(
        user_id=TERMINAL_ACTOR_ID,
        username=f"{getpass.getuser()} (terminal)",
        request_id=str(new_id()),
    )


def report_text(report: ImportReport) -> str:
    """The report in lines for people; the file's lines first."""
    verb = "Would add" if report.dry_run else "Added"
    lines = [f"line {each.line}: {each.text}" for each in report.lines]
    lines += [f"Warning: {warning}" for warning in report.warnings]
    lines.append(
        f"{verb} {report.cards_added:,} cards and {report.copies_added:,} copies"
        f" ({report.copies_on_sale:,} of them on sale) from {report.rows:,} rows of"
        f" {report.file_name}; {report.cards_changed:,} cards changed,"
        f" {report.cards_unchanged:,} as they were, {report.copies_known:,} certified copies here"
        f" already, {report.pictures:,} pictures."
    )
    if report.dry_run:
        lines.append("This was a dry run: nothing was written.")
    return "\n".join(lines)


def refusal_text(error: PackhouseError) -> str:
    """The error in lines for people, a file's problems each with its line."""
    if not isinstance(error, ImportRefused):
        return error.message
    lines = [f"  {each.field}: {each.message}" for each in error.errors]
    if error.problem_count > len(lines):
        lines.append(f"  and {error.problem_count - len(lines):,} more")
    return "\n".join([error.message, *lines])


async def _import(settings: Settings, command: ImportCatalog) -> ImportReport:
    async with open_house(settings) as house:
        with _progress_bar() as progress:
            return await import_catalog(house, command, progress=progress)


@contextmanager
def _progress_bar() -> Iterator[catalog.Progress]:
    """A bar for each stage, on standard error."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {
            stage: bars.add_task(title, visible=False, total=None)
            for stage, title in _STAGES.items()
        }

        def show(stage: str, completed: int, total: int) -> None:
            bars.update(tasks[stage], completed=completed, total=total, visible=True)

        yield show
