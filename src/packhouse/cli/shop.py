"""What the commands share: which shop they mean, how they report progress, how they end."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from rich.console import Console
from rich.text import Text

from packhouse.foundation.errors import InvalidInput, Outage, Refusal
from packhouse.plumbing.embedded.places import LOCK_NAME
from packhouse.plumbing.handover import read_handover
from packhouse.plumbing.settings import (
    SERVE_NEEDS,
    InvalidSettings,
    Settings,
    load_settings,
)

DATA_VARIABLE: Final = "PACKHOUSE_DATA"
DATA_DEFAULT: Final = ".packhouse"
RUN_NAME: Final = "run.json"
"""In the shop's folder while it runs: where everything is. A contract, see the reference."""
HANDOVER_NAME: Final = "handover.json"
"""In the shop's folder: the settings that ``packhouse up`` decided for it."""

DataOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The folder of a shop that `packhouse up` runs; PACKHOUSE_DATA or ./.packhouse if not"
        " given.",
        show_default=False,
    ),
]


class ShopNotRunning(Refusal):
    """The command needs a running shop, and none runs on that folder."""

    code = "shop_not_running"


def data_directory(data: Path | None) -> Path:
    """The folder of the embedded shop: the option's, the environment's, or the usual one."""
    return (data or Path(os.environ.get(DATA_VARIABLE) or DATA_DEFAULT)).absolute()


def shop_settings_for_command(data: Path | None) -> Settings:
    """The settings of the shop that a command works on.

    The one on the folder ``data`` when it is given; else the one that PACKHOUSE_DATABASE_URL
    names; else the one that runs on the usual folder. Raises ``InvalidSettings`` or
    ``ShopNotRunning``.
    """
    directory = data_directory(data)
    is_folder_named = bool(data or os.environ.get(DATA_VARIABLE))
    if data is None:
        given = load_settings(os.environ).settings
        if given.database_url or not (is_folder_named or is_shop_running(directory)):
            return load_settings(os.environ, required=SERVE_NEEDS).settings
    if not is_shop_running(directory):
        raise ShopNotRunning(
            f"No shop runs on {directory}; start it with `packhouse up --data {directory}`."
        )
    overrides = read_handover(directory / HANDOVER_NAME)
    return load_settings(os.environ, overrides=overrides, required=SERVE_NEEDS).settings


def is_shop_running(directory: Path) -> bool:
    """Whether a living ``packhouse up`` has this folder open for business."""
    if not (directory / RUN_NAME).exists():
        return False
    # A killed shop leaves its run.json; the lock ends with its holder, however that ends.
    try:
        descriptor = os.open(directory / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def progress_lines() -> Callable[[str], None]:
    """A function that tells of progress on standard error, in colour when that is a terminal."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def announce(line: str) -> None:
        if console.is_terminal:
            console.print(Text("▸ ", style="bold cyan") + Text(line))
        else:
            typer.echo(f"packhouse: {line}", err=True)

    return announce


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn a refusal or an outage into a line on standard error and an exit code.

    2 when a setting is wrong, 1 for everything else. A breach or a bug stays what it is and shows
    its traceback.
    """
    try:
        yield
    except InvalidSettings as error:
        typer.echo(f"packhouse: {error.message}", err=True)
        raise typer.Exit(2) from error
    except (Refusal, Outage) as error:
        typer.echo(f"packhouse: {error.message}", err=True)
        if isinstance(error, InvalidInput):
            for each in error.errors:
                typer.echo(f"  {each.field}: {each.message}", err=True)
        raise typer.Exit(1) from error
