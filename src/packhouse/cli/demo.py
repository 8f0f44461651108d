"""``packhouse seed-demo``: the step of ``packhouse up`` that fills a new shop; not for people.

A program of its own, because drawing all the cards takes memory that a program which runs for days
would never give back.
"""

import asyncio
from pathlib import Path

from packhouse.cli.shop import plain_errors, progress_lines
from packhouse.demo.seed import seed_demo_shop
from packhouse.foundation.errors import Outage
from packhouse.house import open_house
from packhouse.plumbing.embedded.errors import disk_full, has_room
from packhouse.plumbing.handover import begin_as_child, load_process_settings
from packhouse.plumbing.settings import Settings

ROOM_MEBIBYTES = 16


def seed_demo_command(directory: Path) -> None:
    """Do what is missing of the demo shop whose folder is DIRECTORY."""
    begin_as_child()
    with plain_errors():
        settings = load_process_settings().settings
        try:
            asyncio.run(_seed(settings))
        except Outage as error:
            # On a full disk everything gives up in its own way, and few say why.
            if has_room(directory, mebibytes=ROOM_MEBIBYTES):
                raise
            raise disk_full(directory) from error


async def _seed(settings: Settings) -> None:
    async with open_house(settings) as house:
        await seed_demo_shop(house, progress_lines())
