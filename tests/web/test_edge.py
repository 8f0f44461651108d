"""The layer around every request: limits, headers, cross-site checks, errors."""

import httpx


async def test_a_process_that_runs_is_live(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/live")
    assert answer.status_code == 200


async def test_a_shop_with_its_database_is_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["database"]["state"] == "up"


async def test_an_unknown_api_address_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


async def test_an_unknown_page_is_a_friendly_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]
