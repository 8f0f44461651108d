"""``packhouse serve api``, ``admin`` and ``worker``: each answers its own, with its own login."""

import httpx
import pytest

from packhouse.flows.sign_in import SignedIn
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web.roles import NotServedHere, WebRole, require_served
from packhouse.web.session import cookie_name
from worlds.event_streams import listen_over_socket
from worlds.logins import url_of_role
from worlds.made_up_pulls import append_pulls
from worlds.served_roles import free_port, start, until_ready
from worlds.veil_shop import make_collector, make_owner, open_veil_shop

KEYS = {"seed_key": "00" * 32, "log_key": "01" * 32, "http_workers": "1"}


@pytest.fixture
async def shop(house: House) -> Actor:
    return await open_veil_shop(house)


def cookies_of(house: House, who: SignedIn) -> dict[str, str]:
    return {cookie_name(house.settings): who.token}


@pytest.mark.parametrize(
    ("path", "roles"),
    [
        ("/", "web"),
        ("/packs/first-light", "web"),
        ("/administration", "web"),
        ("/api/v1/packs", "web api"),
        ("/api/v1/administration", "web api"),
        ("/api/v1/openapi.json", "web api"),
        ("/api/v1/feed/live", "web"),
        ("/admin", "admin"),
        ("/admin/packs", "admin"),
        ("/api/v1/admin/users", "admin"),
        ("/static/css/base.css", "web api admin"),
        ("/health/ready", "web api admin"),
        ("/metrics", "web api admin"),
    ],
)
def test_each_path_has_its_roles(path: str, roles: str) -> None:
    found = []
    for role in WebRole:
        try:
            require_served(path, role)
        except NotServedHere:
            continue
        found.append(str(role))
    assert found == roles.split()


async def test_the_api_answers_the_api_alone(house: House, shop: Actor) -> None:
    ada = await make_collector(house, "ada", credits_minor=5_000)
    port = free_port()
    changed = {**KEYS, "api_port": str(port), "database_url": url_of_role(house, "api")}
    async with start(house, port, "api", **changed) as api:
        await until_ready(api)
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, cookies=cookies_of(house, ada)) as client:
            opened = await client.post(
                "/api/v1/packs/veil-one/openings",
                json={"quantity": 1},
                headers={"Idempotency-Key": "one"},
            )
            assert opened.status_code == 201, api.said()
            for path in ("/", "/admin", "/api/v1/admin/users", "/api/v1/feed/live"):
                refused = await client.get(path, headers={"Accept": "application/json"})
                assert refused.status_code == 404
            assert refused.json()["code"] == "not_served_here"
            assert "packhouse serve live" in refused.json()["detail"]
    assert shop.username


async def test_admin_answers_operators_alone(house: House, shop: Actor) -> None:
    olga = await make_owner(house, "oona")
    port = free_port()
    changed = {**KEYS, "admin_port": str(port), "database_url": url_of_role(house, "admin")}
    async with start(house, port, "admin", **changed) as admin:
        await until_ready(admin)
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, cookies=cookies_of(house, olga)) as client:
            assert (await client.get("/admin")).status_code == 200, admin.said()
            assert (await client.get("/api/v1/admin/users")).status_code == 200, admin.said()
            assert (await client.get("/api/v1/packs")).json()["code"] == "not_served_here"
            assert (await client.get("/metrics")).status_code == 200
    assert shop.username


@pytest.mark.parametrize("has_login", [True, False])
async def test_web_answers_operators_where_it_has_a_login_for_that(
    house: House, shop: Actor, *, has_login: bool
) -> None:
    olga = await make_owner(house, "oona")
    port = free_port()
    changed = {**KEYS, "http_port": str(port), "database_url": url_of_role(house, "web")}
    if has_login:
        changed["admin_database_url"] = url_of_role(house, "admin")
    async with start(house, port, "web", **changed) as web:
        await until_ready(web)
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, cookies=cookies_of(house, olga)) as client:
            assert (await client.get("/packs/veil-one")).status_code == 200, web.said()
            assert (await client.get("/api/v1/packs")).status_code == 200, web.said()
            found = await client.get("/admin")
            assert found.status_code == (200 if has_login else 404), web.said()
    assert shop.username


async def test_the_worker_answers_probes(house: House) -> None:
    port = free_port()
    changed = {**KEYS, "worker_port": str(port), "database_url": url_of_role(house, "worker")}
    async with start(house, port, "worker", **changed) as worker:
        await until_ready(worker)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/health/live")).json() == {"status": "live"}
            assert "packhouse_build_info" in (await client.get("/metrics")).text
            assert (await client.get("/admin")).json()["code"] == "not_served_here"
        assert await worker.stop() == 0, worker.said()


async def test_live_answers_streams_alone_with_its_own_login(house: House) -> None:
    port = free_port()
    async with start(house, port, "live", database_url=url_of_role(house, "live")) as live:
        await until_ready(live)
        async with listen_over_socket(port) as stream:
            last = await append_pulls(house, ["S"])
            assert [sequence for sequence, _ in await stream.wait_for(1)] == [last], live.said()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/health/live")).json() == {"status": "live"}
            assert "packhouse_build_info" in (await client.get("/metrics")).text
            refused = (await client.get("/api/v1/packs")).json()
            assert refused["code"] == "not_served_here"
            assert "packhouse serve api" in refused["detail"]
        assert await live.stop() == 0, live.said()
