"""What the balancers' files promise one by one: retries, addresses, errors, streams, TLS."""

import asyncio
import os
import re
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from packhouse.flows.check_laws import list_broken_laws
from packhouse.foundation.identifiers import UserId
from packhouse.foundation.limits import LIVE_COMMENT_SECONDS
from packhouse.house import House
from packhouse.web.session import cookie_name
from worlds.balancers import DEPLOY, START, TRUSTED, Balancer, start_haproxy
from worlds.crowd import SLUG, invite, list_opening_ids, open_daily_shop
from worlds.debian_programs import require_program
from worlds.event_streams import listen_over_socket
from worlds.made_up_pulls import append_pulls
from worlds.served_roles import PATIENCE_SECONDS, free_port
from worlds.veil_shop import PASSWORD
from worlds.web_fleet import Fleet, start_fleet

pytestmark = pytest.mark.scale

ASKED_AT_ONCE = 8
ANONYMOUS_CALLS = 5
LONGEST_TIMEOUT_SECONDS = 30
ONCE = {"connection": "close"}
"""Without it a balancer keeps a connection after its stream has ended."""
Asking = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


@pytest.fixture
async def fleet(house: House) -> AsyncIterator[Fleet]:
    async with start_fleet(house, 2) as started:
        yield started


@pytest.fixture(params=sorted(START))
async def balancer(fleet: Fleet, request: pytest.FixtureRequest) -> AsyncIterator[Balancer]:
    async with START[request.param]({"web": fleet.ports}) as started:
        yield started


@pytest.fixture
async def ada(house: House, balancer: Balancer) -> AsyncIterator[httpx.AsyncClient]:
    """A collector at the balancer, who opens a connection for each request."""
    await open_daily_shop(house)
    (signed_in,) = await invite(house, ["ada"])
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=balancer.url, timeout=PATIENCE_SECONDS, limits=limits
    ) as client:
        client.cookies.set(cookie_name(house.settings), signed_in.token)
        yield client


async def ask_while_a_server_dies(
    fleet: Fleet, client: httpx.AsyncClient, ask: Asking
) -> tuple[list[httpx.Response], list[httpx.Response]]:
    """The answers of who was answered before, and of those whose server heard them and died."""
    port = fleet.ports[0]
    (worker,) = fleet.role(port).workers()
    os.kill(worker, signal.SIGSTOP)
    asking = [asyncio.ensure_future(ask(client, number)) for number in range(ASKED_AT_ONCE)]
    answered, waiting = await asyncio.wait(asking, timeout=3)
    assert answered
    assert waiting
    await fleet.kill(port)
    return [each.result() for each in answered], [await each for each in waiting]


async def test_a_safe_request_that_a_server_died_over_is_answered_by_another(
    fleet: Fleet, ada: httpx.AsyncClient
) -> None:
    answered, waiting = await ask_while_a_server_dies(
        fleet, ada, lambda client, _: client.get("/api/v1/me")
    )
    assert {answer.status_code for answer in answered + waiting} == {200}


async def test_a_write_with_a_key_that_a_server_died_over_is_done_once(
    house: House, fleet: Fleet, ada: httpx.AsyncClient
) -> None:
    def open_one(client: httpx.AsyncClient, number: int) -> Awaitable[httpx.Response]:
        return client.post(
            f"/api/v1/packs/{SLUG}/openings",
            json={"quantity": 1},
            headers={"Idempotency-Key": f"key-{number}"},
        )

    answered, waiting = await ask_while_a_server_dies(fleet, ada, open_one)
    answers = answered + waiting
    assert {answer.status_code for answer in answers} == {201}
    opened = [answer.json()["openings"][0]["id"] for answer in answers]
    user_id = UserId(UUID((await ada.get("/api/v1/me")).json()["id"]))
    assert sorted(opened) == sorted(await list_opening_ids(house, user_id))
    assert await list_broken_laws(house) == []


async def test_a_write_without_a_key_that_a_server_died_over_is_not_sent_again(
    fleet: Fleet, ada: httpx.AsyncClient
) -> None:
    answered, waiting = await ask_while_a_server_dies(
        fleet,
        ada,
        lambda client, _: client.post(
            "/api/v1/session", json={"email": "ada@example.com", "password": PASSWORD}
        ),
    )
    assert {answer.status_code for answer in answered} == {200}
    for answer in waiting:
        assert (answer.status_code, answer.json()["code"]) == (502, "no_answer")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_what_reached_nobody_is_sent_to_the_next_server_whatever_it_is(
    fleet: Fleet, ada: httpx.AsyncClient
) -> None:
    await fleet.kill(fleet.ports[0])
    for number in range(ASKED_AT_ONCE):
        answer = await ada.put("/api/v1/fairness/seed", json={"client_seed": str(number)})
        assert answer.status_code == 200


async def test_without_any_server_calls_and_pages_are_told_so_in_their_own_way(
    fleet: Fleet, balancer: Balancer
) -> None:
    for port in fleet.ports:
        await fleet.kill(port)
    async with httpx.AsyncClient(base_url=balancer.url, timeout=PATIENCE_SECONDS) as client:
        call, page = await client.get("/api/v1/packs"), await client.get("/")
    assert call.headers["content-type"] == "application/problem+json"
    assert (call.status_code, call.json()["code"]) in ((503, "not_reached"), (502, "no_answer"))
    assert call.json()["status"] == page.status_code == call.status_code
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>" in page.text


async def test_metrics_are_not_for_the_outside(balancer: Balancer) -> None:
    async with httpx.AsyncClient(base_url=balancer.url) as client:
        for spelling in ("/metrics", "/metrics/", "/%6detrics", "/metrics?x"):
            assert (await client.get(spelling)).status_code == 404
        assert (await client.get("/health/ready")).status_code == 200


async def test_all_attempts_have_one_id(balancer: Balancer) -> None:
    async with httpx.AsyncClient(base_url=balancer.url) as client:
        named = await client.get("/api/v1/packs", headers={"x-request-id": "mine-1"})
        unnamed = await client.get("/api/v1/packs")
        odd = await client.get("/api/v1/packs", headers={"x-request-id": "no id {}"})
    assert named.headers["x-request-id"] == "mine-1"
    assert len(unnamed.headers["x-request-id"]) >= 32
    assert len(odd.headers["x-request-id"]) >= 32


async def test_streams_pass_at_once_and_go_on_elsewhere_when_their_server_stops(
    house: House, fleet: Fleet, balancer: Balancer
) -> None:
    async with AsyncExitStack() as streams:
        opened = [
            await streams.enter_async_context(listen_over_socket(balancer.port, headers=ONCE))
            for _ in range(4)
        ]
        await append_pulls(house, ["D", "S"])
        for stream in opened:
            assert [sequence for sequence, _ in await stream.wait_for(2)] == [1, 2]
        await fleet.stop(fleet.ports[0])
        ended = [stream for stream in opened if stream.is_ended]
        assert 0 < len(ended) < len(opened)
        await append_pulls(house, ["A"])
        for stream in ended:
            assert not stream.is_broken
            back = ONCE | {"last-event-id": str(stream.last_id())}
            async with listen_over_socket(balancer.port, headers=back) as again:
                assert [sequence for sequence, _ in await again.wait_for(1)] == [3]


async def test_a_stream_outlives_every_timeout(house: House, fleet: Fleet) -> None:
    """Nothing happens for longer than any of them, but for the comments that the shop sends."""
    async with AsyncExitStack() as stack:
        streams = []
        for begin in START.values():
            balancer = await stack.enter_async_context(begin({"web": fleet.ports}))
            streams.append(await stack.enter_async_context(listen_over_socket(balancer.port)))
        await asyncio.sleep(LONGEST_TIMEOUT_SECONDS + LIVE_COMMENT_SECONDS)
        await append_pulls(house, ["D"])
        for stream in streams:
            assert [sequence for sequence, _ in await stream.wait_for(1)] == [1]


async def test_what_is_too_large_is_refused_by_the_shop(balancer: Balancer) -> None:
    async with httpx.AsyncClient(base_url=balancer.url) as client:
        answer = await client.post("/api/v1/session", content=b" " * 2 * 1024**2)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


class Visitor:
    """Somebody at an address of their own on this machine."""

    def __init__(self, address: str, url: str) -> None:
        self._transport = httpx.AsyncHTTPTransport(local_address=address)
        self._url = url

    async def call(self, **headers: str) -> int:
        """The status of one call to the API."""
        async with httpx.AsyncClient(transport=self._transport, base_url=self._url) as client:
            named = {name.replace("_", "-"): text for name, text in headers.items()}
            return (await client.get("/api/v1/me", headers=named)).status_code


async def calls_until_refused(visitor: Callable[[], Visitor], **headers: str) -> int:
    """How many calls are heard before the limit of the visitor's address is reached."""
    for heard in range(ANONYMOUS_CALLS + 2):
        if await visitor().call(**headers) == 429:
            return heard
    return ANONYMOUS_CALLS + 2


@pytest.fixture
async def strict_fleet(house: House) -> AsyncIterator[Fleet]:
    limit = f"{ANONYMOUS_CALLS}/15m"
    async with start_fleet(house, 1, rate_limit_anonymous=limit) as started:
        yield started


@pytest.mark.parametrize("kind", sorted(START))
async def test_a_visitor_counts_under_the_own_address_and_no_other(
    strict_fleet: Fleet, kind: str
) -> None:
    async with START[kind]({"web": strict_fleet.ports}) as balancer:

        def mia() -> Visitor:
            return Visitor("127.0.0.2", balancer.url)

        def noa() -> Visitor:
            return Visitor("127.0.0.3", balancer.url)

        assert await calls_until_refused(mia) == ANONYMOUS_CALLS
        spoofed = ["203.0.113.7", "127.0.0.3", "203.0.113.7, 127.0.0.1", "127.0.0.1"]
        for claim in spoofed:
            assert await mia().call(x_forwarded_for=claim) == 429
        assert await calls_until_refused(noa) == ANONYMOUS_CALLS


async def test_who_passes_the_balancer_by_is_not_believed(strict_fleet: Fleet) -> None:
    url = f"http://127.0.0.1:{strict_fleet.ports[0]}"

    def mia() -> Visitor:
        return Visitor("127.0.0.2", url)

    assert await calls_until_refused(mia) == ANONYMOUS_CALLS
    assert await mia().call(x_forwarded_for="203.0.113.7") == 429


async def test_the_word_of_a_cdn_in_front_is_kept(house: House, tmp_path: Path) -> None:
    networks = tmp_path / "cdn-networks.txt"
    networks.write_text("127.0.0.4/32\n")
    changed = {
        "rate_limit_anonymous": f"{ANONYMOUS_CALLS}/15m",
        "trusted_proxies": f"{TRUSTED},127.0.0.4/32",
    }
    async with (
        start_fleet(house, 1, **changed) as fleet,
        start_haproxy({"web": fleet.ports}, LB_CDN_NETWORKS=str(networks)) as balancer,
    ):

        def cdn() -> Visitor:
            return Visitor("127.0.0.4", balancer.url)

        for claim in ("198.51.100.1", "203.0.113.7, 198.51.100.2"):
            heard = await calls_until_refused(cdn, x_forwarded_for=claim)
            assert heard == ANONYMOUS_CALLS
        outside = Visitor("127.0.0.2", balancer.url)
        assert await outside.call(x_forwarded_for="198.51.100.1") == 401


async def test_over_tls_cookies_are_secure_and_in_the_clear_visitors_are_sent_there(
    house: House, tmp_path: Path
) -> None:
    certificate = tmp_path / "shop.pem"
    trusted = ssl.create_default_context(cadata=write_certificate(certificate))
    tls_port = free_port()
    tls = {"LB_CERTIFICATE": str(certificate), "LB_BIND_TLS": f"127.0.0.1:{tls_port}"}
    async with (
        start_fleet(house, 1, public_url=f"https://127.0.0.1:{tls_port}") as fleet,
        start_haproxy({"web": fleet.ports}, **tls) as balancer,
        httpx.AsyncClient(verify=trusted) as client,
    ):
        clear = await client.get(f"{balancer.url}/packs?x=1")
        assert clear.status_code == 308
        assert clear.headers["location"] == f"https://127.0.0.1:{balancer.port}/packs?x=1"
        account = {
            "email": "mia@example.com",
            "username": "mia",
            "password": PASSWORD,
            "birth_date": "1990-04-01",
        }
        answer = await client.post(f"https://127.0.0.1:{tls_port}/api/v1/accounts", json=account)
        assert answer.status_code == 201
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie


def test_haproxy_takes_every_variable_that_its_example_names(tmp_path: Path) -> None:
    write_certificate(tmp_path / "shop.pem")
    lines = (DEPLOY / "haproxy" / "haproxy.env").read_text().splitlines()
    named = dict(line.removeprefix("#").split("=") for line in lines if "LB_" in line[:4])
    networks = tmp_path / "networks"
    networks.write_text("198.51.100.0/24\n")
    here = {
        "LB_CERTIFICATE": str(tmp_path / "shop.pem"),
        "LB_CDN_NETWORKS": str(networks),
        "LB_SOCKET": str(tmp_path / "socket"),
        "LB_USER": "nobody",
    }
    config = DEPLOY / "haproxy" / "haproxy.cfg"
    told = subprocess.run(
        [require_program("haproxy", package="haproxy"), "-c", "-f", config],
        env={**named, **here},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert set(re.findall(r"LB_[A-Z_]+?(?=_[1-6]\b|[-\"})])", config.read_text())) == {
        re.sub(r"_[1-6]$", "", name) for name in named
    }


def write_certificate(path: Path) -> str:
    """A certificate for 127.0.0.1 that signs itself, with its key in the same file; gives it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(certificate + private)
    return certificate.decode()
