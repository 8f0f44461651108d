"""The operators' API: who comes in, what is written down of it, and what is refused at the door."""

from collections.abc import Callable

import httpx
import pytest

from packhouse import accounts
from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.sign_in import SignedIn
from packhouse.house import House
from packhouse.plumbing.audit import Actor, AuditEntry, list_audit_entries
from worlds.veil_shop import make_collector

ADMIN = "/api/v1/admin"
ID = "01a20000-0000-7000-8000-000000000001"

CALLS = [
    ("POST", "/catalog/imports"),
    ("GET", "/cards"),
    ("GET", "/stock"),
    ("GET", f"/cards/{ID}/stock"),
    ("POST", f"/cards/{ID}/stock-moves"),
    ("GET", "/packs"),
    ("POST", "/packs"),
    ("GET", "/packs/veil-one"),
    ("PUT", "/packs/veil-one"),
    ("GET", "/packs/veil-one/versions"),
    ("POST", "/packs/veil-one/versions"),
    ("POST", "/packs/veil-one/withdrawal"),
    ("POST", "/packs/veil-one/simulation"),
    ("GET", "/shipping-requests"),
    ("GET", f"/shipping-requests/{ID}"),
    ("POST", f"/shipping-requests/{ID}/transitions"),
    ("GET", f"/shipping-requests/{ID}/packing-slip"),
    ("GET", "/users"),
    ("GET", f"/users/{ID}"),
    ("POST", f"/users/{ID}/suspension"),
    ("DELETE", f"/users/{ID}/suspension"),
    ("PUT", f"/users/{ID}/role"),
    ("POST", f"/users/{ID}/adjustments"),
    ("GET", "/settings"),
    ("PUT", "/settings"),
    ("GET", "/analytics"),
    ("GET", "/audit-log"),
    ("GET", "/job-queue"),
    ("GET", "/jobs"),
    ("POST", "/jobs/7/retries"),
    ("POST", "/jobs/7/discard"),
]


@pytest.fixture
async def clerk(
    house: House, shop: Actor, new_client: Callable[[SignedIn | None], httpx.AsyncClient]
) -> httpx.AsyncClient:
    """Clerk works here, and owns nothing."""
    signed_in = await make_collector(house, "clerk")
    command = ChangeRole(actor=shop, user_id=signed_in.user.id, role="staff", reason="Hired.")
    await change_role(house, command)
    return new_client(signed_in)


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_a_visitor_and_a_collector_are_turned_away_at_every_address(
    house: House, client: httpx.AsyncClient, ada: httpx.AsyncClient, method: str, path: str
) -> None:
    visit = await client.request(method, ADMIN + path)
    assert (visit.status_code, visit.json()["code"]) == (401, "not_signed_in")
    visit = await ada.request(method, ADMIN + path)
    assert (visit.status_code, visit.json()["code"]) == (403, "forbidden")
    assert await read_log(house) == []


async def test_every_address_of_the_published_document_is_walked_above(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    published = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if path.startswith(ADMIN) and operation["tags"] == ["admin"]
    }
    assert len(published) == len(CALLS) == len(set(CALLS))


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_every_call_of_staff_is_in_the_audit_log_even_when_it_fails(
    house: House, clerk: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await clerk.request(method, ADMIN + path, headers={"x-request-id": "call-7"})
    assert answer.status_code < 500
    calls = [entry for entry in await read_log(house) if entry.action == "call"]
    assert [(entry.actor_name, entry.subject, entry.request_id) for entry in calls] == [
        ("clerk", f"{method} {ADMIN}{path}", "call-7")
    ]


async def test_what_was_searched_for_is_not_written_down(
    house: House, olga: httpx.AsyncClient
) -> None:
    await olga.get(f"{ADMIN}/users", params={"search": "ada@example.com"})
    log = str(await read_log(house))
    assert not any(trace in log for trace in ("ada@", "ada%40"))


async def test_staff_who_are_suspended_are_turned_away(
    house: House, clerk: httpx.AsyncClient
) -> None:
    async with house.database.transaction() as connection:
        page = await accounts.list_users_page(connection, search="clerk", cursor=None, limit=1)
        await accounts.update_suspension(
            connection, page.users[0].id, suspended_at=house.clock(), reason="A test."
        )
    house.sessions.forget_user(page.users[0].id)
    answer = await clerk.get(f"{ADMIN}/packs")
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")


async def test_staff_give_no_roles(house: House, clerk: httpx.AsyncClient) -> None:
    signed_in = await make_collector(house, "friend")
    answer = await clerk.put(
        f"{ADMIN}/users/{signed_in.user.id}/role", json={"role": "staff", "reason": "A friend."}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/packs", {"slug": "new"}),
        ("POST", "/packs", {"slug": "new", "draft": {"name": "New"}}),
        ("POST", "/packs/veil-one/versions", {"reason": "x" * 501}),
        ("POST", "/packs/veil-one/versions", {"why": "A word that is no field."}),
        ("POST", "/packs/veil-one/withdrawal", {}),
        ("POST", "/packs/veil-one/withdrawal", {"reason": "NUL \x00"}),
        ("POST", "/packs/veil-one/simulation", {"openings": 20_001}),
        ("POST", "/packs/veil-one/simulation", {"openings": "100"}),
        ("POST", f"/cards/{ID}/stock-moves", {"to_place": "vaulted", "quantity": 1}),
        ("POST", f"/cards/{ID}/stock-moves", {"to_place": "house", "quantity": 10**30}),
        ("POST", f"/shipping-requests/{ID}/transitions", {"status": "eaten"}),
        ("POST", f"/shipping-requests/{ID}/transitions", {"status": "packing", "note": ""}),
        ("POST", f"/users/{ID}/adjustments", {"amount": 1.5, "reason": "Half."}),
        ("POST", f"/users/{ID}/adjustments", {"amount": 10**9, "reason": "Too much."}),
        ("PUT", f"/users/{ID}/role", {"role": "king", "reason": "Long live."}),
        ("PUT", "/settings", {"maintenance": True}),
        ("POST", "/jobs/7/discard", {"reason": ""}),
        ("POST", f"/jobs/{10**30}/retries", None),
        ("GET", "/cards?limit=0", None),
        ("GET", "/cards?limit=101", None),
        ("GET", "/cards?tier=Z", None),
        ("GET", "/shipping-requests?status=eaten", None),
        ("DELETE", f"/users/{ID}/suspension", None),
    ],
)
async def test_what_has_the_wrong_form_is_422(
    olga: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    answer = await olga.request(method, ADMIN + path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "path",
    [
        "/cards",
        "/stock",
        f"/cards/{ID}/stock",
        "/shipping-requests",
        "/users",
        "/audit-log",
        "/jobs",
    ],
)
@pytest.mark.parametrize("cursor", ["nonsense", "IiI", "WyJcdTAwMDAiLCIxIl0", "e30", "%C3%A9"])
async def test_a_cursor_of_another_making_is_refused(
    olga: httpx.AsyncClient, path: str, cursor: str
) -> None:
    answer = await olga.get(f"{ADMIN}{path}?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/packs/nowhere", None),
        ("PUT", "/packs/nowhere", {"draft": None}),
        ("GET", "/packs/nowhere/versions", None),
        ("POST", "/packs/nowhere/versions", {}),
        ("POST", "/packs/nowhere/withdrawal", {"reason": "Gone."}),
        ("POST", "/packs/nowhere/simulation", {}),
        ("GET", f"/cards/{ID}/stock", None),
        ("POST", f"/cards/{ID}/stock-moves", {"to_place": "house", "quantity": 1}),
        ("GET", f"/shipping-requests/{ID}", None),
        ("GET", f"/shipping-requests/{ID}/packing-slip", None),
        ("POST", f"/shipping-requests/{ID}/transitions", {"status": "packing"}),
        ("GET", f"/users/{ID}", None),
        ("POST", f"/users/{ID}/suspension", {"reason": "Nobody."}),
        ("DELETE", f"/users/{ID}/suspension?reason=Nobody", None),
        ("PUT", f"/users/{ID}/role", {"role": "staff", "reason": "Nobody."}),
        ("POST", f"/users/{ID}/adjustments", {"amount": 1, "reason": "Nobody."}),
        ("POST", "/jobs/7/retries", None),
        ("POST", "/jobs/7/discard", {"reason": "Nobody."}),
        ("POST", "/jobs/not-a-number/retries", None),
        ("GET", "/users/not-an-id", None),
        ("GET", "/nothing", None),
    ],
)
async def test_what_is_not_there_is_404(
    olga: httpx.AsyncClient, method: str, path: str, body: dict[str, object] | None
) -> None:
    if body is not None and "draft" in body:
        body = {"draft": (await olga.get(f"{ADMIN}/packs/veil-one")).json()["draft"]}
    answer = await olga.request(method, ADMIN + path, json=body, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 404
    assert answer.json()["code"] in {"not_found", "pack_not_found"}


async def test_nothing_of_it_is_kept_by_caches(olga: httpx.AsyncClient) -> None:
    for path in ("/users", "/packs", "/analytics", "/audit-log"):
        answer = await olga.get(ADMIN + path)
        assert answer.headers["cache-control"] == "private, no-store"


async def read_log(house: House) -> list[AuditEntry]:
    """What was written by calls of the test, newest first; Olga's opening of the shop is not."""
    async with house.database.connection() as connection:
        entries = await list_audit_entries(connection, before=None, limit=100)
    return [each for each in entries if each.request_id not in {"opening", "terminal"}]
