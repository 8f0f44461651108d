"""``packhouse db``: what of the schema the shop's database has, and bringing it up to date."""

import asyncio
from typing import Annotated

import msgspec
import typer

from packhouse.cli.backups import backup_command, check_backup_command, restore_command
from packhouse.cli.shop import DataOption, plain_errors, progress_lines, shop_settings_for_command
from packhouse.plumbing.schema_state import MigrationState, migrate_database, read_schema_state
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


@db_commands.command("status")
def status_command(
    *,
    data: DataOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for machines instead of lines.")
    ] = False,
) -> None:
    """List every migration and when it was run.

    Ends with 1 when one is pending, or was run with other words than it has now.
    """
    with plain_errors():
        states = asyncio.run(read_schema_state(_database_url(shop_settings_for_command(data))))
    if as_json:
        typer.echo(msgspec.json.encode({"migrations": states}))
    else:
        for each in states:
            typer.echo(f"{each.title}  {_in_words(each)}")
    if any(each.state != "applied" for each in states):
        raise typer.Exit(1)


def _in_words(migration: MigrationState) -> str:
    if migration.applied_at is None:
        return "pending"
    return f"{migration.state} {migration.applied_at:%Y-%m-%d %H:%M:%S} UTC"


def _database_url(settings: Settings) -> str:
    return require_setting(settings.database_url, name="database_url").reveal()
