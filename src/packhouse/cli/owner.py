"""``packhouse owner create EMAIL``: makes an owner of a real shop, from the server's terminal."""

import asyncio
import os
import re
from typing import Annotated

import typer

from packhouse import accounts
from packhouse.flows.create_owner import CreateOwner, create_owner
from packhouse.foundation.errors import InvalidInput, PackhouseError
from packhouse.house import open_house
from packhouse.plumbing.settings import SERVE_NEEDS, InvalidSettings, Settings, load_settings


def create_owner_command(
    email: Annotated[str, typer.Argument(help="The address that the owner will sign in with.")],
    *,
    username: Annotated[
        str | None,
        typer.Option(help="The owner's user name; made from the address when not given."),
    ] = None,
) -> None:
    """Make an owner of the shop, asking for the password twice.

    The shop is the one that the environment names, as for `packhouse serve`. Ends with 1 when the
    account cannot be made, and with 2 when a setting is wrong.
    """
    try:
        settings = load_settings(os.environ, required=SERVE_NEEDS).settings
    except InvalidSettings as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(2) from error
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    command = CreateOwner(email=email, username=username or username_from(email), password=password)
    try:
        asyncio.run(_create(settings, command))
    except PackhouseError as error:
        typer.echo(error.message, err=True)
        if isinstance(error, InvalidInput):
            for each in error.errors:
                typer.echo(f"  {each.field}: {each.message}", err=True)
        raise typer.Exit(1) from error
    typer.echo(
        f"{command.username} owns this shop now. Sign in as {email} at {settings.public_url}."
    )


def username_from(email: str) -> str:
    """A user name made of the address's first part: what names cannot have becomes ``-``."""
    local, _, _ = email.partition("@")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", local).strip("-_")[: accounts.USERNAME_LENGTH_MAX]
    return name if accounts.username_error(name) is None else f"owner-{name}".rstrip("-")


async def _create(settings: Settings, command: CreateOwner) -> None:
    async with open_house(settings) as house:
        await create_owner(house, command)
