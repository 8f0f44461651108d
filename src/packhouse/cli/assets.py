"""``packhouse assets build``: style sheets and scripts compressed as well as they go, once."""

from pathlib import Path
from typing import Annotated

import typer

from packhouse.web.assets import build_forms, built_folder, export_assets

assets_commands = typer.Typer(
    help="Style sheets, scripts and pictures of ours.", no_args_is_help=True
)


@assets_commands.command("build")
def build_command(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Also write every asset there under its hashed name, with .br, .zst and .gz"
            " beside it, for a CDN or a web server.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compress every asset for the processes that start later; `make setup` and the image do so.

    Without it they are compressed quickly at each start, which costs visitors a few KiB.
    """
    written = build_forms(built_folder())
    typer.echo(f"{written} compressed forms are in {built_folder()}.")
    if folder is not None:
        typer.echo(f"{export_assets(folder)} assets are in {folder}.")
