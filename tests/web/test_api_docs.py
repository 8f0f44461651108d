"""The published document and its pages for people."""

import re
from typing import Any

import httpx
import pytest

from packhouse.web.errors import STATUSES

CONTRACT = {
    ("POST", "/api/v1/accounts"),
    ("POST", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/wallet/entries"),
    ("POST", "/api/v1/wallet/top-ups"),
    ("GET", "/api/v1/packs"),
    ("GET", "/api/v1/packs/{slug}"),
    ("POST", "/api/v1/packs/{slug}/openings"),
    ("GET", "/api/v1/openings"),
    ("GET", "/api/v1/openings/{opening_id}"),
    ("GET", "/api/v1/vault"),
    ("POST", "/api/v1/vault/sales"),
    ("GET", "/api/v1/shipping-quotes"),
    ("GET", "/api/v1/shipping-requests"),
    ("POST", "/api/v1/shipping-requests"),
    ("GET", "/api/v1/shipping-requests/{request_id}"),
    ("POST", "/api/v1/shipping-requests/{request_id}/cancellation"),
    ("GET", "/api/v1/feed"),
    ("GET", "/api/v1/feed/live"),
    ("GET", "/api/v1/fairness/seed"),
    ("PUT", "/api/v1/fairness/seed"),
    ("POST", "/api/v1/fairness/seed/rotation"),
}
"""What collectors were promised."""


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    published: dict[str, Any] = (await client.get("/api/v1/openapi.json")).json()
    return published


def calls_of(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


async def test_the_document_has_every_promised_call(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert CONTRACT - calls_of(document).keys() == set()


async def test_every_call_is_described(document: dict[str, Any]) -> None:
    for call, operation in calls_of(document).items():
        assert operation.get("description"), call
        assert operation["tags"], call
        assert {"400", "429", "503"} <= operation["responses"].keys(), call


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r"'#/components/(\w+)/([^']+)'", str(document)))
    assert references
    for kind, name in references:
        assert name in document["components"][kind]


async def test_paid_calls_ask_for_their_key(document: dict[str, Any]) -> None:
    calls = calls_of(document)
    for path in ("/api/v1/wallet/top-ups", "/api/v1/packs/{slug}/openings", "/api/v1/vault/sales"):
        names = {parameter["name"] for parameter in calls["POST", path]["parameters"]}
        assert "Idempotency-Key" in names


async def test_the_document_is_not_sent_twice(client: httpx.AsyncClient) -> None:
    first = await client.get("/api/v1/openapi.json")
    again = await client.get(
        "/api/v1/openapi.json", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304


async def test_people_can_read_it_too(client: httpx.AsyncClient, document: dict[str, Any]) -> None:
    answer = await client.get("/api/v1/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for _, path in calls_of(document):
        assert path in answer.text
    shapes = set(re.findall(r'href="#(shape-[^"]+)"', answer.text))
    assert shapes <= set(re.findall(r'id="(shape-[^"]+)"', answer.text))


async def test_nothing_on_the_page_needs_another_site(client: httpx.AsyncClient) -> None:
    text = (await client.get("/api/v1/docs")).text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)


async def test_every_code_has_its_place_on_the_errors_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs/errors")
    assert answer.status_code == 200
    for code in STATUSES:
        assert f'id="{code}"' in answer.text


async def test_a_problem_links_to_its_explanation(client: httpx.AsyncClient) -> None:
    link = (await client.get("/api/v1/me")).json()["type"]
    path, _, anchor = link.partition("#")
    assert f'id="{anchor}"' in (await client.get(path)).text


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/-", "/api/v1/-/openapi.json", "/schema"])
async def test_the_frameworks_own_pages_are_walled_up(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404
