"""``packhouse db``: what of the schema the shop's database has, and bringing it up to date."""

import asyncio
from typing import Annotated

import msgspec
import typer

from packhouse.cli.backups import backup_command, check_backup_command, restore_command
from packhouse.cli.shop import DataOption, plain_errors, progress_lines, shop_settings_for_command
from packhouse.plumbing.job_schema import JobQueueState
from packhouse.plumbing.schema_state import (
    MigrationState,
    distribute_database,
    migrate_database,
    read_queue_state,
    read_schema_state,
)
from packhouse.plumbing.settings import Settings, require_setting

db_commands = typer.Typer(help="The shop's database.", no_args_is_help=True)
db_commands.command("backup")(backup_command)
db_commands.command("check-backup")(check_backup_command)
db_commands.command("restore")(restore_command)


@db_commands.command("migrate")
def migrate_command(*, data: DataOption = None) -> None:
    """Run the migrations that the database lacks; harmless when there are none.

    It is safe beside a running shop, and two at once wait for each other.
    """
    announce = progress_lines()
    with plain_errors():
        ran = asyncio.run(migrate_database(_database_url(shop_settings_for_command(data))))
    for migration in ran:
        announce(f"Ran {migration.number:04d}_{migration.name}.")
    typer.echo(f"{len(ran)} migrations run; the database is up to date.")


@db_commands.command("distribute")
def distribute_command(*, data: DataOption = None) -> None:
    """Spread users over the servers of a Citus cluster; harmless when they are.

    The shop must not run meanwhile; its migrations must have run. A run that was cut short is begun
    again.
    """
    announce = progress_lines()
    with plain_errors():
        moved = asyncio.run(
            distribute_database(_database_url(shop_settings_for_command(data)), announce=announce)
        )
    typer.echo(f"{moved} tables moved; every table is where it belongs.")


@db_commands.command("status")
def status_command(
    *,
    data: DataOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for machines instead of lines.")
    ] = False,
) -> None:
    """List every migration and when it was run, and whose job queue is there.

    Ends with 1 when one is pending, or was run with other words than it has now.
    """
    with plain_errors():
        url = _database_url(shop_settings_for_command(data))
        states = asyncio.run(read_schema_state(url))
        queue = asyncio.run(read_queue_state(url))
    if as_json:
        typer.echo(msgspec.json.encode({"migrations": states, "job_queue": queue}))
    else:
        for each in states:
            typer.echo(f"{each.title}  {_in_words(each)}")
        typer.echo(f"job queue  {_queue_in_words(queue)}")
    if any(each.state != "applied" for each in states) or not queue.is_up_to_date:
        raise typer.Exit(1)


def _in_words(migration: MigrationState) -> str:
    if migration.applied_at is None:
        return "pending"
    return f"{migration.state} {migration.applied_at:%Y-%m-%d %H:%M:%S} UTC"


def _queue_in_words(queue: JobQueueState) -> str:
    there = "none" if queue.installed is None else f"PgQueuer {queue.installed}"
    return there if queue.is_up_to_date else f"{there}; PgQueuer {queue.needed} pending"


def _database_url(settings: Settings) -> str:
    return require_setting(settings.database_url, name="database_url").reveal()
