"""Clients that speak to the whole web application in this very process, and people to be.

``client`` is a visitor; ``ada`` and ``ben`` collect, ``olga`` owns the shop. Each is a client with
a cookie jar of its own. ``shop`` has the four kinds of pack on sale.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import httpx
import msgspec
import pytest

from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web import kept
from packhouse.web.app import WebApp
from packhouse.web.session import cookie_name
from worlds.logins import database_of_role
from worlds.veil_shop import PASSWORD, make_collector, open_veil_shop

CREDITS_MINOR = 50_000
"""What Ada and Ben begin with."""

NewClient: TypeAlias = Callable[[SignedIn | None], httpx.AsyncClient]


@pytest.fixture(autouse=True)
def _answers_are_kept_for_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is answered is told here; for how long it may be kept is in test_kept_answers."""
    monkeypatch.setattr(kept, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(kept, "STALE_SECONDS_MAX", 0.0)


@pytest.fixture
async def app(house: House) -> AsyncIterator[WebApp]:
    """Collectors and operators are answered with the logins of their roles, as in a real shop."""
    async with database_of_role(house, "web") as web, database_of_role(house, "admin") as admin:
        made = WebApp(
            house.settings, msgspec.structs.replace(house, database=web), operators_database=admin
        )
        async with made.running():
            yield made


@pytest.fixture
async def new_client(app: WebApp, house: House) -> AsyncIterator[NewClient]:
    """Makes clients, signed in as somebody or as nobody."""
    async with AsyncExitStack() as stack:

        def make(signed_in: SignedIn | None) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 4321))
            client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
            if signed_in is not None:
                client.cookies.set(cookie_name(house.settings), signed_in.token)
            stack.push_async_callback(client.aclose)
            return client

        yield make


@pytest.fixture
def client(new_client: NewClient) -> httpx.AsyncClient:
    """A visitor without a session; cookies are kept."""
    return new_client(None)


@pytest.fixture
async def ada(house: House, new_client: NewClient) -> httpx.AsyncClient:
    """Ada collects and has 500.00 credits."""
    return new_client(await make_collector(house, "ada", credits_minor=CREDITS_MINOR))


@pytest.fixture
async def ben(house: House, new_client: NewClient) -> httpx.AsyncClient:
    """Ben collects too, and is nosy."""
    return new_client(await make_collector(house, "ben", credits_minor=CREDITS_MINOR))


@pytest.fixture
async def shop(house: House) -> Actor:
    """The four kinds of pack are on sale; gives Olga, who put them there."""
    return await open_veil_shop(house)


@pytest.fixture
async def olga(house: House, shop: Actor, new_client: NewClient) -> httpx.AsyncClient:
    """Olga owns the shop."""
    email = f"{shop.username}@example.com"
    return new_client(await sign_in(house, SignIn(email=email, password=PASSWORD)))
