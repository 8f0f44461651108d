"""A client that speaks to the whole web application in this very process."""

from collections.abc import AsyncIterator

import httpx
import pytest

from packhouse.house import House
from packhouse.web.app import WebApp


@pytest.fixture
async def app(house: House) -> AsyncIterator[WebApp]:
    made = WebApp(house.settings, house)
    async with made.running():
        yield made


@pytest.fixture
async def client(app: WebApp) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor without a session; cookies are kept."""
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 4321))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as made:
        yield made
