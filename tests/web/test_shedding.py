"""Beyond what it can do the shop says so at once, serves whom it let in, and loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import httpx
import pytest

from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web.admission import Admission
from packhouse.web.app import WebApp
from packhouse.web.edge import Edge
from packhouse.web.maintenance import ShopDoor

NOT_LONG = 20.0
PRICE_MINOR = 500
"""Of the pack ``veil-one``."""


@asynccontextmanager
async def every_connection_lent(house: House) -> AsyncIterator[None]:
    async with AsyncExitStack() as lent:
        while house.database._pool.opened < house.database._pool._size:
            await lent.enter_async_context(house.database.connection())
        while house.database._pool._idle:
            await lent.enter_async_context(house.database.connection())
        yield


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(NOT_LONG):
        while not holds():  # noqa: ASYNC110 - what is looked at sets no event
            await asyncio.sleep(0.005)


@pytest.fixture
async def app(house: House) -> AsyncIterator[WebApp]:
    """One edge on one pool, so that its lines are those of the house."""
    made = WebApp(house.settings, house)
    async with made.running():
        yield made


def admission_of(app: WebApp) -> Admission:
    edge = app._edge
    assert isinstance(edge, Edge)
    return edge._admission


def assert_sent_away(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.headers["content-security-policy"]
    assert "no-store" in answer.headers["cache-control"]


UNCOUNTED = [
    "/health/ready",
    "/metrics",
    "/static/shop.css",
    "/log/checkpoint",
    "/api/v1/feed/live",
    "/api/v1/packs/first-light/openings",
    "/packs/first-light/openings",
]
COUNTED = ["/", "/api/v1/feed", "/packs/x", "/vault", "/healthy", "/api"]


@pytest.mark.parametrize("path", UNCOUNTED)
def test_some_come_and_go_uncounted(path: str) -> None:
    admission = Admission(most=0)
    assert not admission.is_full_for(path)
    with admission.of(path):
        assert admission.inside == 0


@pytest.mark.parametrize("path", COUNTED)
def test_everybody_else_is_counted_and_one_too_many_is_turned_away(path: str) -> None:
    admission = Admission(most=2)
    with admission.of(path):
        assert not admission.is_full_for(path)
        with admission.of(path):
            assert admission.is_full_for(path)
        assert not admission.is_full_for(path)
    assert admission.inside == 0


def test_whoever_fails_inside_leaves_like_any_other() -> None:
    admission = Admission(most=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), admission.of("/"):
            raise ZeroDivisionError
    assert admission.inside == 0


def test_while_many_have_been_inside_for_long_nobody_else_is_let_in() -> None:
    now = 0.0
    admission = Admission(most=100, slow_most=2, slow_seconds=1.0, seconds=lambda: now)
    with ExitStack() as inside:
        inside.enter_context(admission.of("/"))
        now = 5.0
        # One alone may take as long as it likes.
        inside.enter_context(admission.of("/"))
        assert not admission.is_full_for("/")
        now = 5.5
        inside.enter_context(admission.of("/"))
        now = 6.1
        assert admission.is_full_for("/")
        assert not admission.is_full_for("/health/live")
    assert not admission.is_full_for("/")


async def test_one_request_too_many_is_sent_away_and_those_inside_are_served(
    app: WebApp, house: House, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    admission = admission_of(app)
    admission._most = 3
    async with every_connection_lent(house):
        inside = [asyncio.create_task(ada.get("/api/v1/vault")) for _ in range(3)]
        await until(lambda: admission.inside == 3)
        assert_sent_away(await client.get("/api/v1/packs"), "shop_busy")
        page = await client.get("/", headers={"accept": "text/html"})
        assert page.status_code == 503
        assert page.headers["retry-after"]
        assert "text/html" in page.headers["content-type"]
        assert page.headers["content-security-policy"]
        assert (await client.head("/api/v1/packs")).content == b""
        assert (await client.get("/health/live")).status_code == 200
    answers = await asyncio.gather(*inside)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert admission.inside == 0
    assert (await client.get("/api/v1/packs")).status_code == 200


async def test_a_full_line_before_the_database_is_an_answer_and_no_wait(
    house: House, ada: httpx.AsyncClient
) -> None:
    house.database._pool._waiting_max = 1
    async with every_connection_lent(house):
        waiting = asyncio.create_task(ask_for_a_connection(house))
        await until(lambda: house.database._pool.waiting == 1)
        assert_sent_away(await ada.get("/api/v1/vault"), "database_busy")
        # Busy is not away: a balancer is to leave it in its place.
        assert (await ada.get("/health/ready")).status_code == 200
    await waiting
    assert (await ada.get("/api/v1/vault")).status_code == 200


async def ask_for_a_connection(house: House) -> None:
    async with house.database.connection():
        pass


async def test_who_waits_too_long_for_the_database_is_told_so(
    house: House, ada: httpx.AsyncClient
) -> None:
    house.database._pool._wait_seconds_max = 0.02
    async with every_connection_lent(house):
        assert_sent_away(await ada.get("/api/v1/vault"), "database_busy")
    assert (await ada.get("/api/v1/vault")).status_code == 200


async def test_an_opening_that_was_sent_away_cost_nothing_and_is_made_once_when_tried_again(
    house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    path, key = "/api/v1/packs/veil-one/openings", {"idempotency-key": "once"}
    before = (await ada.get("/api/v1/me")).json()["balance"]
    house.database._pool._wait_seconds_max = 0.05
    async with every_connection_lent(house):
        sent_away = await ada.post(path, json={"quantity": 1}, headers=key)
        assert_sent_away(sent_away, "database_busy")
    assert (await ada.get("/api/v1/me")).json()["balance"] == before
    answers = [await ada.post(path, json={"quantity": 1}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert before - (await ada.get("/api/v1/me")).json()["balance"] == PRICE_MINOR


async def test_thousands_at_the_door_in_one_moment_take_one_connection(house: House) -> None:
    door = ShopDoor()
    house.database._pool._waiting_max = 0
    async with AsyncExitStack() as lent:
        while house.database._pool.opened < house.database._pool._size - 1:
            await lent.enter_async_context(house.database.connection())
        await asyncio.gather(*(door.require_open(house) for _ in range(2_000)))
