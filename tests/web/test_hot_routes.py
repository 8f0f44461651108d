"""Hot routes: answered without the framework, and in no other way than the framework answers."""

import asyncio
import re
from itertools import product

import httpx
import msgspec
import pytest

from packhouse.accounts import hash_token
from packhouse.flows.relay_events import relay_events
from packhouse.flows.sign_out import SignOut, sign_out
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.setting_values import RateLimit
from packhouse.web import kept
from packhouse.web.app import WebApp
from packhouse.web.headers import HeaderReader
from packhouse.web.session import cookie_name
from worlds.http_server import read_head

HIGH = RateLimit(1_000_000, 60)
KEY_OF_THE_MOMENT = re.compile(r'name="idempotency_key" value="[^"]*"')
OF_THE_MOMENT = {"x-request-id", "ratelimit-remaining", "ratelimit-reset", "content-length"}


@pytest.fixture
def house(house: House) -> House:
    """Limits as high as those of a signed-in collector, so that they are counted here."""
    return msgspec.structs.replace(
        house, settings=msgspec.structs.replace(house.settings, rate_limit_anonymous=HIGH)
    )


@pytest.fixture
def _answers_are_kept(_answers_are_kept_for_no_time: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FRESH_SECONDS", 3600.0)


class AtOnce(msgspec.Struct, frozen=True):
    """An answer from memory, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes


def at_once(app: WebApp, path: str, query: str = "", **headers: str) -> AtOnce | None:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    asked = app.edge.read_asked(
        path=path, query=query, peer="127.0.0.1", headers=HeaderReader({"headers": named})
    )
    ready = None if asked is None else app.edge.answer_at_once(asked)
    if ready is None:
        return None
    assert ready.head.endswith(b"\r\n")
    return AtOnce(*read_head(ready.head), ready.body)


async def open_one(collector: httpx.AsyncClient, *, slug: str = "veil-eight") -> httpx.Response:
    return await collector.post(
        f"/api/v1/packs/{slug}/openings",
        json={"quantity": 1},
        headers={"Idempotency-Key": f"key of {slug}"},
    )


@pytest.mark.parametrize(
    ("hot", "framework"),
    [
        ("/api/v1/feed", "/api/v1/feed?cursor="),
        ("/api/v1/feed?tier=D&limit=3", "/api/v1/feed?tier=D&limit=3&cursor="),
        ("/api/v1/packs", "/api/v1/packs?any"),
        ("/api/v1/packs/veil-lot", "/api/v1/packs/veil-lot?any"),
        ("/api/v1/vault", "/api/v1/vault?cursor="),
        (
            "/api/v1/vault?state=vaulted&sort=value",
            "/api/v1/vault?state=vaulted&sort=value&cursor=",
        ),
    ],
)
async def test_the_framework_gives_the_same_answer(
    house: House, shop: Actor, ada: httpx.AsyncClient, hot: str, framework: str
) -> None:
    assert (await open_one(ada)).status_code == 201
    await relay_events(house)
    by_edge, by_framework = await ada.get(hot), await ada.get(framework)
    assert (by_edge.status_code, by_framework.status_code) == (200, 200)
    assert by_edge.json() == by_framework.json()
    for name in ("content-type", "cache-control", "content-security-policy", "ratelimit-limit"):
        assert by_edge.headers[name] == by_framework.headers[name]


@pytest.mark.parametrize("path", ["/", "/feed", "/vault", "/packs/veil-eight", "/packs/veil-lot"])
async def test_a_page_is_the_same_as_the_framework_shows_it(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient, path: str
) -> None:
    assert (await open_one(ada)).status_code == 201
    await relay_events(house)
    for visitor in (ada, client):
        by_edge, by_framework = await visitor.get(path), await visitor.get(f"{path}?any")
        assert by_edge.status_code == by_framework.status_code
        texts = [KEY_OF_THE_MOMENT.sub("", page.text) for page in (by_edge, by_framework)]
        assert texts[0] == texts[1]
        for name in ("content-type", "content-security-policy"):
            assert by_edge.headers[name] == by_framework.headers[name]
        assert by_framework.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/", "/feed", "/packs/veil-eight"])
async def test_a_page_may_be_kept_for_those_alone_who_bring_no_session(
    shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient, path: str
) -> None:
    assert shop.username
    own, public = await ada.get(path), await client.get(path)
    assert own.headers["cache-control"] == "private, no-store"
    assert public.headers["cache-control"] == "public, max-age=0, s-maxage=1"
    assert {"Cookie"} <= set(public.headers.get_list("vary", split_commas=True))
    ended = await client.get(path, headers={"Cookie": "packhouse_session=ended"})
    assert ended.headers["cache-control"] == "private, no-store"


async def test_a_page_of_nothing_is_not_found_as_the_framework_says_it(
    client: httpx.AsyncClient,
) -> None:
    by_edge, by_framework = [
        await client.get(f"/packs/none{query}", headers={"accept": "text/html"})
        for query in ("", "?any")
    ]
    assert (by_edge.status_code, by_framework.status_code) == (404, 404)
    assert by_edge.headers["content-type"] == by_framework.headers["content-type"]


async def test_a_vault_is_the_same_to_the_last_byte(
    shop: Actor, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    for slug in ("veil-eight", "veil-lot"):
        assert (await open_one(ada, slug=slug)).status_code == 201
    held = (await ada.get("/api/v1/vault?limit=100")).json()["items"]
    sale = {"user_card_ids": [card["id"] for card in held[:3]]}
    sold = await ada.post("/api/v1/vault/sales", json=sale, headers={"Idempotency-Key": "sale"})
    assert sold.status_code == 201
    tiers, states = ("", "&tier=D", "&tier=SSS"), ("", "&state=vaulted", "&state=sold")
    sorts, limits = ("", "&sort=newest", "&sort=value"), ("", "&limit=2", "&limit=100")
    for asked in map("".join, product(tiers, states, sorts, limits)):
        path = f"/api/v1/vault?{asked[1:]}"
        for collector in (ada, ben):
            by_edge = await collector.get(path)
            by_framework = await collector.get(f"{path}&cursor=")
            assert by_edge.status_code == 200
            assert by_edge.content == by_framework.content, path


async def test_many_who_look_at_once_see_each_their_own(
    shop: Actor, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    for collector in (ada, ben):
        await open_one(collector)
    alone = {collector: (await collector.get("/api/v1/vault")).content for collector in (ada, ben)}
    askers = [ada, ben] * 20
    together = await asyncio.gather(*(asker.get("/api/v1/vault") for asker in askers))
    assert [each.content for each in together] == [alone[asker] for asker in askers]
    assert alone[ada] != alone[ben]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/feed?tier=E",
        "/api/v1/feed?limit=0",
        "/api/v1/feed?limit=101",
        "/api/v1/feed?limit=٣",
        "/api/v1/vault?state=eaten",
        "/api/v1/vault?sort=oldest",
        "/api/v1/vault?limit=1.5",
    ],
)
async def test_whatever_is_wrong_is_refused_by_name(
    shop: Actor, ada: httpx.AsyncClient, path: str
) -> None:
    answer = await ada.get(path)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 1


async def test_a_pack_that_is_not_on_sale_is_not_found(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    answer = await client.get("/api/v1/packs/nothing-here")
    assert (answer.status_code, answer.json()["code"]) == (404, "pack_not_found")


async def test_nobody_opens_packs_or_sees_a_vault_without_signing_in(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    for answer in (await open_one(client), await client.get("/api/v1/vault")):
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "malformed_request"),
        (b'{"quantity": 11}', "invalid_input"),
        (b'{"quantity": 1, "more": 1}', "invalid_input"),
        (b'{"client_seed": "\\u0000"}', "invalid_input"),
        (b"\xff", "malformed_request"),
    ],
)
async def test_an_opening_is_read_strictly(
    shop: Actor, ada: httpx.AsyncClient, content: bytes, code: str
) -> None:
    answer = await ada.post(
        "/api/v1/packs/veil-eight/openings",
        content=content,
        headers={"Idempotency-Key": "1", "Content-Type": "application/json"},
    )
    assert answer.json()["code"] == code


async def test_an_opening_without_a_key_is_refused(shop: Actor, ada: httpx.AsyncClient) -> None:
    answer = await ada.post("/api/v1/packs/veil-eight/openings", json={"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.usefixtures("_answers_are_kept")
async def test_what_is_kept_is_answered_at_once_with_the_same_headers(
    app: WebApp, shop: Actor, client: httpx.AsyncClient
) -> None:
    assert at_once(app, "/api/v1/feed") is None
    first = await client.get("/api/v1/feed", headers={"accept-encoding": "identity"})
    ready = at_once(app, "/api/v1/feed")
    assert ready is not None
    assert (ready.status, ready.body) == (200, first.content)
    kept_headers = {
        name: value for name, value in ready.headers.items() if name not in OF_THE_MOMENT
    }
    assert kept_headers == {
        name: value for name, value in first.headers.items() if name not in OF_THE_MOMENT
    }
    assert set(ready.headers) == set(first.headers)
    assert len(ready.headers) == len(kept_headers) + len(OF_THE_MOMENT)


@pytest.mark.usefixtures("_answers_are_kept")
async def test_who_has_it_already_is_told_so_at_once(
    app: WebApp, shop: Actor, client: httpx.AsyncClient
) -> None:
    tag = (await client.get("/api/v1/packs", headers={"accept-encoding": "identity"})).headers[
        "etag"
    ]
    ready = at_once(app, "/api/v1/packs", if_none_match=tag)
    assert ready is not None
    assert (ready.status, ready.body) == (304, b"")


@pytest.mark.usefixtures("_answers_are_kept")
async def test_answers_at_once_count_against_the_limit(
    app: WebApp, shop: Actor, client: httpx.AsyncClient
) -> None:
    before = int((await client.get("/api/v1/feed")).headers["ratelimit-remaining"])
    ready = at_once(app, "/api/v1/feed")
    assert ready is not None
    assert int(ready.headers["ratelimit-remaining"]) == before - 1


@pytest.mark.usefixtures("_answers_are_kept")
async def test_a_low_limit_is_asked_for_and_so_never_passed_at_once(
    house: House, shop: Actor
) -> None:
    settings = msgspec.structs.replace(house.settings, rate_limit_anonymous=RateLimit(100, 900))
    app = WebApp(settings, msgspec.structs.replace(house, settings=settings))
    async with (
        app.running(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8000"
        ) as visitor,
    ):
        await visitor.get("/api/v1/feed")
        assert at_once(app, "/api/v1/feed") is None


@pytest.mark.usefixtures("_answers_are_kept")
async def test_a_collector_is_counted_as_such_only_while_the_session_is_known(
    app: WebApp, house: House, shop: Actor, ada: httpx.AsyncClient
) -> None:
    name = cookie_name(house.settings)
    token = ada.cookies[name]
    cookie = f"other=1; {name}={token}"
    await ada.get("/api/v1/feed")
    ready = at_once(app, "/api/v1/feed", cookie=cookie)
    assert ready is not None
    assert ready.headers["ratelimit-limit"] == str(house.settings.rate_limit_signed_in.limit)
    await sign_out(house, SignOut(token_hash=hash_token(token)))
    assert at_once(app, "/api/v1/feed", cookie=cookie) is None


@pytest.mark.usefixtures("_answers_are_kept")
@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/feed", "cursor=x"),
        ("/api/v1/packs", "x"),
        ("/api/v1/vault", ""),
        ("/", ""),
        ("/api/v1/me", ""),
    ],
)
async def test_all_the_rest_goes_the_long_way(
    app: WebApp, shop: Actor, client: httpx.AsyncClient, path: str, query: str
) -> None:
    for warm in ("/api/v1/feed", "/api/v1/packs"):
        await client.get(warm)
    assert at_once(app, path, query) is None


@pytest.mark.usefixtures("_answers_are_kept")
async def test_a_lot_that_was_drawn_from_here_is_shown_anew(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    async def packs_left() -> int:
        left: int = (await ada.get("/api/v1/packs/veil-lot")).json()["lot"]["packs_left"]
        return left

    before = await packs_left()
    assert (await open_one(ada, slug="veil-lot")).status_code == 201
    assert await packs_left() == before - 1
