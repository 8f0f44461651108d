"""Whatever a client sends, the API answers as its own document says, and never with our fault.

The examples follow from the document alone (derandomized), so a failure is the same everywhere.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TypeAlias

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case as AnyCase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from packhouse.flows.sign_in import SignIn, sign_in
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.web.session import cookie_name
from worlds.veil_shop import PASSWORD

Case: TypeAlias = AnyCase[Any]

EXAMPLES_PER_CALL = 12
"""Of good requests, and as many bad ones."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

STREAMS = {"/api/v1/feed/live"}
"""These never end."""

NASTY_BODIES = [
    b"",
    b"null",
    b"[]",
    b"{",
    b"[" * 100_000,
    b'{"quantity":' * 50_000,
    b"\xff\xfe",
    b'{"email": "\xff"}',
    b'{"client_seed": "\\u0000"}',
    b'{"client_seed": "\\ud800"}',
    b'{"client_seed": "\\udc00x"}',
    b'{"quantity": 1e400}',
    b'{"amount": 99999999999999999999999999999999999999}',
    b'{"amount": 500.0}',
    b'{"amount": "500"}',
    b'{"amount": true}',
    b'{"user_card_ids": ["\\u0000"]}',
    b'{"user_card_ids": [null]}',
    b'{"address": {"name": "\\u0000"}, "user_card_ids": []}',
]


async def document_of(client: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await client.get("/api/v1/openapi.json")).json()
    return document


def list_cases(document: dict[str, Any], *, admin: bool) -> Iterable[tuple[str, list[Case]]]:
    """The requests to try for each call of the document."""
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.path in STREAMS or ("/admin/" in operation.path) is not admin:
            continue
        cases: list[Case] = []
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            collect(operation.as_strategy(generation_mode=mode), cases)
        yield operation.label, cases


def collect(strategy: Any, cases: list[Case]) -> None:  # noqa: ANN401 - Hypothesis is loosely typed
    @settings(
        max_examples=EXAMPLES_PER_CALL,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def add(case: Case) -> None:
        cases.append(case)

    # A call without any input cannot be called badly.
    with suppress(Unsatisfiable):
        add()


async def try_cases(house: House, client: httpx.AsyncClient, email: str, cases: list[Case]) -> None:
    signed_in = await sign_in(house, SignIn(email=email, password=PASSWORD))
    # One of the calls signs out, so each call has a session of its own; and all of them together
    # are more than a person may send in a minute.
    cookie = f"{cookie_name(house.settings)}={signed_in.token}"
    await house.valkey.client.flushdb()
    for case in cases:
        wanted = case.as_transport_kwargs(base_url=str(client.base_url))
        prepared: Any = requests.Request(**wanted).prepare()
        client.cookies.clear()
        answer = await client.request(
            prepared.method,
            prepared.url,
            headers={**prepared.headers, "Cookie": cookie},
            content=prepared.body,
        )
        case.validate_response(answer, checks=CHECKS)


async def test_collectors_calls_answer_as_documented(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    for _, cases in list_cases(await document_of(client), admin=False):
        await try_cases(house, client, "ada@example.com", cases)


async def test_operators_calls_answer_as_documented(
    house: House, shop: Actor, client: httpx.AsyncClient
) -> None:
    for _, cases in list_cases(await document_of(client), admin=True):
        await try_cases(house, client, "olga@example.com", cases)


async def test_no_body_is_answered_with_our_fault(shop: Actor, ada: httpx.AsyncClient) -> None:
    paths = (await document_of(ada))["paths"]
    calls = [
        (path, method)
        for path, item in paths.items()
        for method in item
        if "requestBody" in item[method] and "/admin/" not in path
    ]
    for path, method in calls:
        for body in NASTY_BODIES:
            answer = await ada.request(
                method.upper(),
                path.replace("{slug}", "veil-one"),
                content=body,
                headers={"Content-Type": "application/json", "Idempotency-Key": "nasty"},
            )
            assert answer.status_code in {400, 422}, f"{method} {path} {body[:24]!r}: {answer.text}"
