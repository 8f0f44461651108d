"""Checks from outside: requests are sent, and their answers are read as browsers and caches do."""

import gzip
import json
import re
import secrets
import socket
import ssl
from asyncio import sleep, to_thread
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import brotli

from packhouse import accounts
from packhouse.flows.lend_session import lend_session
from packhouse.flows.sign_out import SignOut, sign_out
from packhouse.readiness.model import Seen, failed, judged, not_applicable, passed, sentence_of
from packhouse.readiness.shop import Shop
from packhouse.readiness.visits import Visit, Visits

COOKIE: Final = "packhouse_session"
CERTIFICATE_DAYS_MIN: Final = 14
REQUESTS_MAX: Final = 2_000
"""A limit above this is not tried out, and is too high to protect anything."""
HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "",
    "cross-origin-opener-policy": "",
}
"""Of every answer; an empty value means any."""
_ASSET: Final = re.compile(rb'"([^"]*/static/[^"]+\.css)"')


async def see_it_answers(shop: Shop) -> Seen:
    """Ready to sell, at the address that people use."""
    visit = await shop.visits.get("/health/ready")
    return judged(
        f"{shop.visits.url}/health/ready answered {visit.status}.", holds=visit.status == 200
    )


async def see_errors_are_told(shop: Shop) -> Seen:
    """An address that does not exist answers in the contract's form, under the caller's id."""
    visit = await shop.visits.get("/api/v1/readiness-no-such-thing", x_request_id="readiness")
    kind = visit.headers.get("content-type", "")
    echoed = visit.headers.get("x-request-id") == "readiness"
    return judged(
        f"An unknown address answered {visit.status} as {kind or 'nothing'}; the request id was"
        f" {'echoed' if echoed else 'lost'}.",
        holds=visit.status == 404 and kind.startswith("application/problem+json") and echoed,
    )


async def see_security_headers(shop: Shop) -> Seen:
    """The headers that keep other people's scripts and frames away."""
    visit = await shop.visits.get("/")
    policy = visit.headers.get("content-security-policy", "")
    wrong = [
        name
        for name, value in HEADERS.items()
        if name not in visit.headers or (value and visit.headers[name] != value)
    ]
    if "'unsafe-inline'" in policy or "'unsafe-eval'" in policy or "default-src" not in policy:
        wrong.append("content-security-policy")
    if shop.visits.url.startswith("https") and "strict-transport-security" not in visit.headers:
        wrong.append("strict-transport-security")
    if wrong:
        return failed(f"Missing or weak on the front page: {', '.join(wrong)}.")
    return passed(f"All are there; the policy is “{policy}”.")


async def see_tls(shop: Shop) -> Seen:
    """The certificate is good and lasts, looked at as a visitor's browser does."""
    if shop.is_embedded:
        return not_applicable("An embedded shop serves this machine alone, without TLS.")
    url = urlsplit(shop.settings.public_url)
    if url.scheme != "https":
        return failed(f"PACKHOUSE_PUBLIC_URL is {shop.settings.public_url}.")
    try:
        ends = await to_thread(_certificate_ends, url.hostname or "", url.port or 443)
    except (OSError, ValueError) as error:
        return failed(f"The certificate of {url.hostname} is not accepted: {error}.")
    days = (ends - datetime.now(UTC)).days
    return judged(
        f"The certificate of {url.hostname} is valid for {days} days more.",
        holds=days >= CERTIFICATE_DAYS_MIN,
    )


def _certificate_ends(host: str, port: int) -> datetime:
    with (
        socket.create_connection((host, port), timeout=10) as plain,
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert()
    if not certificate:
        raise ValueError("it shows none")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


async def see_sessions_are_shared(shop: Shop) -> Seen:
    """A session made beside the web server is known to it, and dead there once it is ended."""
    token = await lend_session(shop.house, reason="A check of readiness")
    cookie = {"cookie": f"{_cookie_name(shop)}={token}"}
    try:
        known = [await shop.visits.send("GET", "/api/v1/me", headers=cookie) for _ in range(3)]
    finally:
        await sign_out(shop.house, SignOut(token_hash=accounts.hash_token(token)))

    await sleep(1.1)
    dead = [await shop.visits.send("GET", "/api/v1/me", headers=cookie) for _ in range(3)]
    found = [visit.status for visit in known], [visit.status for visit in dead]
    return judged(
        f"A session from PostgreSQL answered {found[0]} on three connections, and {found[1]} a"
        " second after it was ended.",
        holds=found == ([200] * 3, [401] * 3),
    )


async def see_cookie_flags(shop: Shop) -> Seen:
    """The cookie that a sign-out sets, which carries the flags of every session cookie."""
    token = await lend_session(shop.house, reason="A check of readiness")
    try:
        visit = await shop.visits.send(
            "DELETE", "/api/v1/session", headers={"cookie": f"{_cookie_name(shop)}={token}"}
        )
    finally:
        await sign_out(shop.house, SignOut(token_hash=accounts.hash_token(token)))
    said = visit.headers.get("set-cookie", "")
    flags = {part.strip().lower() for part in said.split(";")[1:]}
    wanted = {"httponly", "samesite=lax", "path=/"}
    if shop.settings.has_secure_cookies:
        wanted.add("secure")
    missing = sorted(wanted - flags)
    if not said:
        return failed(f"Signing out answered {visit.status} and set no cookie.")
    return judged(
        f"The session cookie lacks {', '.join(missing)}."
        if missing
        else f"The session cookie carries {', '.join(sorted(wanted))}.",
        holds=not missing,
    )


async def see_compression(shop: Shop) -> Seen:
    """Pages and assets come compressed to who asks so, and decompress to the same bytes."""
    asset = await _asset_of(shop)
    wrong = []
    for path in ("/", "/api/v1/packs", asset):
        plain = await shop.visits.get(path, accept_encoding="identity")
        for coding, unpack in (("br", brotli.decompress), ("gzip", gzip.decompress)):
            visit = await shop.visits.get(path, accept_encoding=coding)
            if visit.headers.get("content-encoding") != coding:
                wrong.append(f"{path} came without {coding}")
            elif len(unpack(visit.body)) == 0 or len(visit.body) >= len(plain.body):
                wrong.append(f"{path} came no smaller by {coding}")
    if wrong:
        return failed(sentence_of(wrong))
    return passed(f"The front page, the packs and {asset} came in Brotli and gzip, and smaller.")


async def see_caching(shop: Shop) -> Seen:
    """Assets for ever, public answers by their tag, private ones never: what a CDN goes by."""
    asset = await _asset_of(shop)
    wrong = []
    kept = (await shop.visits.get(asset)).headers.get("cache-control", "")
    if "immutable" not in kept or "public" not in kept:
        wrong.append(f"{asset} says “{kept}”")
    page = await shop.visits.get("/api/v1/packs")
    tag = page.headers.get("etag", "")
    again = await shop.visits.get("/api/v1/packs", if_none_match=tag)
    if not tag or again.status != 304:
        wrong.append(f"the packs have the tag “{tag}” and answered it with {again.status}")
    private = (await shop.visits.get("/api/v1/me")).headers.get("cache-control", "")
    if "no-store" not in private:
        wrong.append(f"a private answer says “{private}”")
    if wrong:
        return failed(sentence_of(wrong))
    return passed("Assets are immutable, public answers have tags that give 304, private none.")


async def see_rate_limits(shop: Shop) -> Seen:
    """Requests beyond the limit are really refused, and another address is not."""
    limit = shop.settings.rate_limit_anonymous.limit
    if limit > REQUESTS_MAX:
        return failed(f"{limit:,} anonymous calls are let through, which protects nothing.")
    busy, quiet = _own_address(shop), _own_address(shop)
    refused: Visit | None = None
    for _ in range(limit + 1):
        visit = await busy.get("/api/v1/packs")
        if visit.status == 429:
            refused = visit
            break
    other = await quiet.get("/api/v1/packs")
    if refused is None:
        return failed(f"{limit + 1} calls of one address within its window were all answered.")
    return judged(
        f"The call after {limit} was refused with Retry-After"
        f" {refused.headers.get('retry-after', 'missing')}; another address got {other.status}.",
        holds="retry-after" in refused.headers and other.status == 200,
    )


async def see_other_sites_are_refused(shop: Shop) -> Seen:
    """A write that another site's page sends is refused, by either sign of it."""
    statuses = [
        (
            await shop.visits.send(
                "POST",
                "/api/v1/session",
                headers={"content-type": "application/json", **sign},
                body=json.dumps({"email": "nobody@example.com", "password": "x" * 12}).encode(),
            )
        ).status
        for sign in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"})
    ]
    return judged(
        f"Writes from another site answered {statuses[0]} and {statuses[1]}.",
        holds=statuses == [403, 403],
    )


async def see_metrics(shop: Shop) -> Seen:
    """The metrics are there for whoever watches."""
    visit = await shop.nearby.get("/metrics")
    return judged(
        f"/metrics answered {visit.status} with {visit.body.count(b'# TYPE')} metrics.",
        holds=visit.status == 200 and b"packhouse_build_info" in visit.body,
    )


async def _asset_of(shop: Shop) -> str:
    """A style sheet that the front page names."""
    page = await shop.visits.get("/", accept_encoding="identity")
    found = _ASSET.search(page.body)
    return found[1].decode() if found else "/static/none.css"


def _own_address(shop: Shop) -> Visits:
    """The instance beside us, asked from a loopback address that no visitor has."""
    first, second, third = secrets.randbelow(64), secrets.randbelow(256), secrets.randbelow(254)
    return shop.nearby.from_address(f"127.{64 + first}.{second}.{1 + third}")


def _cookie_name(shop: Shop) -> str:
    return f"__Host-{COOKIE}" if shop.settings.has_secure_cookies else COOKIE
