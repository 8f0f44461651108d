"""``packhouse owner create EMAIL``: makes an owner of a real shop, from the server's terminal."""

import asyncio
import re
from typing import Annotated

import typer

from packhouse import accounts
from packhouse.cli.shop import DataOption, plain_errors, shop_settings_for_command
from packhouse.flows.create_owner import CreateOwner, create_owner
from packhouse.house import open_house
from packhouse.plumbing.settings import Settings


def create_owner_command(
    email: Annotated[str, typer.Argument(help="The address that the owner will sign in with.")],
    *,
    username: Annotated[
        str | None,
        typer.Option(help="The owner's user name; made from the address when not given."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Make an owner of the shop, asking for the password twice.

    The shop is the one that the environment names, as for `packhouse serve`, or else the one that
    `packhouse up` runs. Ends with 1 when the account cannot be made, and with 2 when a setting is
    wrong.
    """
    with plain_errors():
        settings = shop_settings_for_command(data)
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        command = CreateOwner(
            email=email, username=username or username_from(email), password=password
        )
        asyncio.run(_create(settings, command))
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
