"""The command line: ``packhouse up | serve | db | catalog | owner | verify | bench | plan | …``.

What machines read goes to standard output, progress and logs to standard error. 0 is success, 1
a refusal or an outage (one line says which), 2 a wrong setting or a wrong word on the command line.
"""

from typing import Annotated

import typer

from packhouse import __version__
from packhouse.cli.assets import assets_commands
from packhouse.cli.bench import bench_command
from packhouse.cli.catalog import import_catalog_command
from packhouse.cli.config import config_command
from packhouse.cli.db import db_commands
from packhouse.cli.demo import seed_demo_command
from packhouse.cli.owner import create_owner_command
from packhouse.cli.plan import plan_command
from packhouse.cli.readiness import readiness_command
from packhouse.cli.serve import serve_command
from packhouse.cli.up import up_command
from packhouse.cli.verify import verify_commands

__all__ = ["main", "packhouse_commands"]

packhouse_commands = typer.Typer(
    name="packhouse",
    help="Run a trading-card pack shop in public.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
owner_commands = typer.Typer(help="Owners of the shop.", no_args_is_help=True)
catalog_commands = typer.Typer(help="Cards and their copies.", no_args_is_help=True)

packhouse_commands.command("up")(up_command)
packhouse_commands.command("serve")(serve_command)
packhouse_commands.command("seed-demo", hidden=True)(seed_demo_command)
packhouse_commands.add_typer(db_commands, name="db")
packhouse_commands.add_typer(catalog_commands, name="catalog")
packhouse_commands.add_typer(assets_commands, name="assets")
catalog_commands.command("import")(import_catalog_command)
packhouse_commands.add_typer(owner_commands, name="owner")
owner_commands.command("create")(create_owner_command)
packhouse_commands.add_typer(verify_commands, name="verify")
packhouse_commands.command("config")(config_command)
packhouse_commands.command("bench")(bench_command)
packhouse_commands.command("plan")(plan_command)
packhouse_commands.command("readiness")(readiness_command)


def main() -> None:
    """The program ``packhouse``."""
    packhouse_commands()


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if is_asked:
        typer.echo(f"packhouse {__version__}")
        raise typer.Exit


@packhouse_commands.callback()
def _packhouse(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run a trading-card pack shop in public."""
