"""A running shop with collectors and stock, which peers are compared with."""

from collections.abc import AsyncIterator

import pytest_asyncio

from packhouse.bench.model import Options
from packhouse.bench.servers import bench_servers
from packhouse.bench.stage import PACK, Stage, open_stage, temporary_folder
from packhouse.bench.stock import restock
from packhouse.plumbing.settings import Settings

QUICK = Options(rounds=1, seconds=1.0, warm_up_seconds=0.0, collectors=48, is_quick=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage() -> AsyncIterator[Stage]:
    """One for each module."""
    with (
        temporary_folder() as folder,
        bench_servers(folder, Settings(), announce=_quietly) as servers,
    ):
        async with open_stage(folder, servers, QUICK, say=_quietly) as opened:
            await restock(opened.house, slug=PACK, openings=200)
            yield opened


def _quietly(_: str) -> None:
    pass
