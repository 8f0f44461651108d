"""The operator's pages: who comes in, what is written down, and what strange input does to them."""

from collections.abc import Callable

import httpx
import pytest

from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.sign_in import SignedIn
from packhouse.house import House
from packhouse.plumbing.audit import Actor, list_audit_entries
from worlds.veil_shop import make_collector

ID = "01a20557-390b-7370-82af-1f0c77db0cd0"

PAGES = [
    "/admin",
    "/admin/shipping",
    "/admin/shipping?status=all",
    "/admin/shipping/slips",
    "/admin/stock",
    "/admin/cards",
    "/admin/import",
    "/admin/import/sample.csv",
    "/admin/packs",
    "/admin/packs/new",
    "/admin/packs/new?form=json",
    "/admin/packs/veil-one",
    "/admin/packs/veil-five",
    "/admin/packs/veil-lot",
    "/admin/packs/veil-lot?form=json",
    "/admin/users",
    "/admin/settings",
    "/admin/jobs",
    "/admin/audit-log",
    "/admin/audit-log?show=all",
]
FORMS = [
    "/admin/shipping/packing",
    f"/admin/shipping/{ID}",
    "/admin/stock",
    f"/admin/stock/{ID}",
    "/admin/import",
    "/admin/import/abc",
    "/admin/packs/new",
    "/admin/packs/veil-one",
    "/admin/packs/veil-one/versions",
    "/admin/packs/veil-one/withdrawal",
    "/admin/packs/veil-one/picture",
    f"/admin/users/{ID}/suspension",
    f"/admin/users/{ID}/adjustments",
    f"/admin/users/{ID}/role",
    "/admin/settings",
    "/admin/jobs/7/retries",
    "/admin/jobs/7/discard",
]

STRANGE_ADDRESSES = [
    "/admin/stock?q=%00&set=%00&tier=Z&after=zzzz",
    "/admin/stock?after=WyJcdTAwMDAiLCAiYSJd",
    "/admin/cards?q=%ff%fe%25_",
    "/admin/shipping?q=%00",
    "/admin/shipping?q=" + "f" * 32,
    "/admin/shipping?status=nonsense&after=x",
    "/admin/shipping/slips?id=nonsense",
    f"/admin/shipping/slips?id={ID}",
    f"/admin/shipping/{ID}/packing-slip.pdf",
    "/admin/shipping/nonsense",
    f"/admin/stock/{ID}?place=nowhere",
    "/admin/packs/%00",
    "/admin/import/%00",
    "/admin/users?q=%00&after=%00",
    "/admin/audit-log?before=nonsense&show=%00",
    "/admin/jobs?after=nonsense",
    "/admin/jobs?after=eyJzZXF1ZW5jZSI6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OX0",
    "/admin?done=%00&count=99999999999999999999",
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


async def test_every_page_is_shown_to_staff(clerk: httpx.AsyncClient) -> None:
    for path in PAGES:
        answer = await clerk.get(path)
        assert answer.status_code == 200, path
        assert "style=" not in answer.text, path


async def test_collectors_and_visitors_stay_outside(
    client: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    for path in PAGES:
        assert (await client.get(path)).status_code == 401, path
        assert (await ada.get(path)).status_code == 403, path
    for path in FORMS:
        assert (await client.post(path)).status_code == 401, path
        assert (await ada.post(path)).status_code == 403, path


async def test_each_page_view_is_in_the_audit_log(house: House, olga: httpx.AsyncClient) -> None:
    await olga.get("/admin/users?q=ada")
    async with house.database.connection() as connection:
        (entry, *_) = await list_audit_entries(connection, before=None, limit=1)
    assert (entry.actor_name, entry.action, entry.subject) == ("olga", "call", "GET /admin/users")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=\xff&name=%ff", "application/x-www-form-urlencoded"),
        (
            b"name=%00&reason=%00&slug=%00&to=house&quantity=" + b"9" * 5_000,
            "application/x-www-form-urlencoded",
        ),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"{}", "application/json"),
    ],
    ids=["empty", "not-utf-8", "nul-and-huge", "broken-parts", "broken-field", "json"],
)
async def test_no_form_breaks_on_strange_input(
    olga: httpx.AsyncClient, body: bytes, content_type: str
) -> None:
    for path in FORMS:
        answer = await olga.post(path, content=body, headers={"content-type": content_type})
        assert answer.status_code < 500, path


async def test_no_page_breaks_on_strange_addresses(olga: httpx.AsyncClient) -> None:
    for path in STRANGE_ADDRESSES:
        assert (await olga.get(path)).status_code < 500, path


async def test_a_link_cannot_put_words_into_the_shops_mouth(olga: httpx.AsyncClient) -> None:
    answer = await olga.get("/admin/stock?done=on_sale&count=<b>")
    assert "<b>" not in answer.text
    assert "? put on sale" in answer.text
