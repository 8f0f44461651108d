"""Closing one's account over API and page, and what everybody can still check afterwards."""

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from packhouse.cli import packhouse_commands
from packhouse.flows.request_shipping import RequestShipping, ShippingOrder, request_shipping
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.vault import UserCard
from worlds.ember_counter import Person, cards_of, pulls_of, relay_all, repeat_of
from worlds.kept_log import list_leaves, sequence_all
from worlds.leaving import EMAIL, HOME, PASSWORD, TRACES, USERNAME, find_traces
from worlds.page_forms import form_of, words_of
from worlds.served_log import mirror_log
from worlds.veil_shop import give_credits

CLOSURE = "/api/v1/me/closure"
PAGE = "/account/closure"
CREDITS_MINOR = 50_000
KEY = {"Idempotency-Key": "leaving"}
ALL_CREDITS = {"password": PASSWORD, "forfeit": {"credits": CREDITS_MINOR}}
EVERYTHING = ("veil-one", "veil-eight", "veil-five", "veil-lot")


@pytest.fixture
async def quill(house: House, client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Quill signs up as everybody does, and buys 500.00 credits."""
    answer = await client.post(
        "/api/v1/accounts",
        json={
            "email": EMAIL,
            "username": USERNAME,
            "password": PASSWORD,
            "birth_date": "1987-06-05",
        },
    )
    assert answer.status_code == 201, answer.text
    await give_credits(house, (await me(client)).user_id, amount_minor=CREDITS_MINOR)
    return client


async def me(client: httpx.AsyncClient) -> Person:
    found = (await client.get("/api/v1/me")).json()
    return Person(found["id"], found["username"])


async def open_packs(client: httpx.AsyncClient, *slugs: str, turn: int = 0) -> list[str]:
    openings: list[str] = []
    for slug in slugs:
        answer = await client.post(
            f"/api/v1/packs/{slug}/openings",
            json={"quantity": 2},
            headers={"Idempotency-Key": f"{slug} {turn}"},
        )
        assert answer.status_code == 201, answer.text
        openings += [opening["id"] for opening in answer.json()["openings"]]
    return openings


async def give_up(house: House, client: httpx.AsyncClient) -> dict[str, object]:
    """The body that gives up whatever is left."""
    cards = [card for card in await cards_of(house, await me(client)) if card.state == "vaulted"]
    balance = (await client.get("/api/v1/me")).json()["balance"]
    return {"password": PASSWORD, "forfeit": {"credits": balance, "cards": len(cards)}}


def verify(*words: str | Path) -> Result:
    return CliRunner().invoke(packhouse_commands, ["verify", *map(str, words)])


async def test_closing_says_what_was_given_up_and_reveals_the_seed(
    quill: httpx.AsyncClient,
) -> None:
    seed = (await quill.get("/api/v1/fairness/seed")).json()
    answer = await quill.post(CLOSURE, json=ALL_CREDITS, headers=KEY)
    assert answer.status_code == 201, answer.text
    closed = answer.json()
    assert closed["forfeited"] == {"credits": CREDITS_MINOR, "cards": 0}
    assert (closed["commitment"], closed["user_key"]) == (seed["commitment"], seed["user_key"])
    assert len(closed["server_seed"]) == 64
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert answer.headers["cache-control"] == "private, no-store"


async def test_the_session_is_over_and_signing_in_is_as_for_a_stranger(
    quill: httpx.AsyncClient,
) -> None:
    cookies = dict(quill.cookies)
    await quill.post(CLOSURE, json=ALL_CREDITS, headers=KEY)
    quill.cookies.update(cookies)
    again = await quill.post(CLOSURE, json=ALL_CREDITS, headers=KEY)
    assert (again.status_code, again.json()["code"]) == (401, "not_signed_in")
    quill.cookies.clear()
    answers = [
        await quill.post("/api/v1/session", json={"email": email, "password": PASSWORD})
        for email in (EMAIL, "nobody@letterbox.example")
    ]
    told = [{**answer.json(), "request_id": ""} for answer in answers]
    assert told[0] == told[1]
    assert [answer.status_code for answer in answers] == [401, 401]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        ({"password": PASSWORD}, KEY, 409, "credits_left"),
        ({"password": PASSWORD, "forfeit": {"credits": 1}}, KEY, 409, "credits_left"),
        (ALL_CREDITS | {"forfeit": {"credits": 50_000, "cards": 1}}, KEY, 409, "cards_left"),
        (ALL_CREDITS | {"password": "not the right one"}, KEY, 401, "bad_credentials"),
        (ALL_CREDITS, {}, 400, "idempotency_key_required"),
        (ALL_CREDITS | {"sure": True}, KEY, 422, "invalid_input"),
        ({"password": PASSWORD, "forfeit": {"credits": -1}}, KEY, 422, "invalid_input"),
        ({"forfeit": {}}, KEY, 422, "invalid_input"),
    ],
)
async def test_a_refusal_has_its_code_and_leaves_the_account_open(
    quill: httpx.AsyncClient,
    body: dict[str, object],
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = await quill.post(CLOSURE, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await quill.get("/api/v1/me")).json()["balance"] == CREDITS_MINOR


async def test_passwords_cannot_be_tried_here_without_end(
    quill: httpx.AsyncClient, house: House
) -> None:
    wrong = ALL_CREDITS | {"password": "wrong every time"}
    for _ in range(house.settings.rate_limit_sign_in_account.limit):
        assert (await quill.post(CLOSURE, json=wrong, headers=KEY)).status_code == 401
    answer = await quill.post(CLOSURE, json=ALL_CREDITS, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")


async def test_nobody_closes_an_account_from_another_site_or_without_a_session(
    quill: httpx.AsyncClient,
) -> None:
    elsewhere = KEY | {"Sec-Fetch-Site": "cross-site"}
    assert (await quill.post(CLOSURE, json=ALL_CREDITS, headers=elsewhere)).status_code == 403
    quill.cookies.clear()
    assert (await quill.post(CLOSURE, json=ALL_CREDITS, headers=KEY)).status_code == 401
    page = await quill.get(PAGE)
    assert (page.status_code, page.headers["location"]) == (
        303,
        "/sign-in?next=/account/closure",
    )


async def test_the_page_says_what_is_in_the_way_and_works_without_a_script(
    shop: Actor, quill: httpx.AsyncClient, house: House
) -> None:
    await open_packs(quill, "veil-one")
    page = await quill.get(PAGE)
    words = words_of(page.text)
    assert "This is for good" in words
    assert "Your vault holds 2 cards" in words
    form = form_of(page.text, PAGE)
    refused = await quill.post(form.action, data=form.filled(password=PASSWORD))
    assert refused.status_code == 409
    assert "The account was not closed" in words_of(refused.text)
    balance = (await quill.get("/api/v1/me")).json()["balance"]
    ticked = form_of(refused.text, PAGE).filled(password=PASSWORD, cards="2", credits=str(balance))
    done = await quill.post(form.action, data=ticked)
    assert (done.status_code, done.headers["location"]) == (303, "/?done=account-closed")
    home = await quill.get(done.headers["location"])
    assert "Your account is closed." in home.text
    assert "Sign in" in words_of(home.text)


async def test_the_page_forgets_the_password_and_tells_of_parcels(
    shop: Actor, quill: httpx.AsyncClient, house: House
) -> None:
    await open_packs(quill, "veil-eight")
    person = await me(quill)
    shippable: list[UserCard] = [c for c in await cards_of(house, person) if c.is_shippable]
    order = ShippingOrder(user_card_ids=(shippable[0].id,), address=HOME)
    command = RequestShipping(shippable[0].user_id, order, repeat_of(person, order))
    await request_shipping(house, command)
    assert "1 of your parcels is not with you yet" in words_of((await quill.get(PAGE)).text)
    refused = await quill.post(PAGE, data={"password": "wrong every time", "idempotency_key": "x"})
    assert refused.status_code == 401
    assert "wrong every time" not in refused.text
    refused = await quill.post(PAGE, data={"password": PASSWORD, "idempotency_key": "x"})
    assert (refused.status_code, "Call them off" in refused.text) == (409, True)


@pytest.mark.parametrize("typed", [{"credits": "some"}, {"cards": "-1"}, {"credits": "1e99"}])
async def test_a_form_that_was_changed_gets_a_sentence(
    quill: httpx.AsyncClient, typed: dict[str, str]
) -> None:
    sent = {"password": PASSWORD, "idempotency_key": "x", **typed}
    answer = await quill.post(PAGE, data=sent)
    assert answer.status_code == 422
    assert (await quill.get("/api/v1/me")).status_code == 200


async def test_staff_see_a_tombstone_and_can_do_nothing_to_it(
    shop: Actor, quill: httpx.AsyncClient, olga: httpx.AsyncClient, house: House
) -> None:
    person = await me(quill)
    await quill.post(CLOSURE, json=ALL_CREDITS, headers=KEY)
    await relay_all(house)
    page = await olga.get(f"/admin/users/{person.user_id}")
    assert page.status_code == 200
    assert "Its owner closed this account" in words_of(page.text)
    assert "suspension" not in page.text
    account = (await olga.get(f"/api/v1/admin/users/{person.user_id}")).json()["account"]
    assert (account["username"], account["email"]) == ("Closed account", "")
    assert account["closed_at"] is not None
    listed = (await olga.get("/api/v1/admin/users")).json()["items"]
    assert str(person.user_id) not in {each["id"] for each in listed}
    figures = (await olga.get("/api/v1/admin/analytics")).json()
    assert (figures["forfeitures"], figures["credits_outstanding"]) == (CREDITS_MINOR, 0)
    refused = await olga.post(
        f"/api/v1/admin/users/{person.user_id}/suspension", json={"reason": "A test."}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "account_closed")


async def test_after_a_closing_the_whole_log_and_every_draw_of_the_collector_verify(
    shop: Actor,
    house: House,
    quill: httpx.AsyncClient,
    ada: httpx.AsyncClient,
    tmp_path: Path,
) -> None:
    openings = await open_packs(quill, *EVERYTHING)
    await open_packs(ada, *EVERYTHING)
    await relay_all(house)
    await quill.post("/api/v1/fairness/seed/rotation")
    openings += await open_packs(quill, *EVERYTHING, turn=1)
    receipts = [(await quill.get(f"/api/v1/openings/{each}")).json() for each in openings]
    history = tmp_path / "history.json"
    history.write_bytes((await quill.get("/api/v1/fairness/history")).content)
    leaves = await list_leaves(house)
    closed = await quill.post(CLOSURE, json=await give_up(house, quill), headers=KEY)
    assert closed.status_code == 201, closed.text
    await open_packs(ada, *EVERYTHING, turn=1)
    await relay_all(house)
    await sequence_all(house)
    assert (await list_leaves(house))[: len(leaves)] == leaves
    mirror = await mirror_log(ada, tmp_path / "log")
    whole = verify("log", mirror)
    assert whole.exit_code == 0, whole.output
    keys = sorted({receipt["proof"]["user_key"] for receipt in receipts})
    assert len(keys) == 2
    own = verify("user", mirror, *[word for key in keys for word in ("--user-key", key)])
    assert own.exit_code == 0, own.output
    # Of a lot that is still on sale the seed stays secret, whoever left the shop.
    from_lot = sum(receipt["kind"] == "lot" for receipt in receipts)
    drawn = f"{len(receipts) - from_lot} were drawn again, {from_lot} wait for their seeds."
    assert drawn in own.output
    kept = verify("user", history, "--log", mirror)
    assert kept.exit_code == 0, kept.output
    for opening in openings:
        receipt = tmp_path / "receipt.json"
        receipt.write_bytes((await ada.get(f"/api/v1/openings/{opening}")).content)
        one = verify("opening", receipt, "--log", mirror)
        is_lot = json.loads(receipt.read_bytes())["kind"] == "lot"
        assert one.exit_code == (2 if is_lot else 0), one.output
        assert "proven up to the signed root" in one.output


async def test_no_leaf_no_pull_and_no_table_tells_whose_a_closed_account_was(
    shop: Actor, house: House, quill: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    await open_packs(quill, *EVERYTHING)
    await relay_all(house)
    await quill.put("/api/v1/fairness/seed", json={"client_seed": f"{USERNAME} again"})
    person = await me(quill)
    shippable = [card for card in await cards_of(house, person) if card.is_shippable]
    order = ShippingOrder(user_card_ids=(shippable[0].id,), address=HOME)
    placed = await request_shipping(
        house, RequestShipping(shippable[0].user_id, order, repeat_of(person, order))
    )
    await quill.post(f"/api/v1/shipping-requests/{placed.id}/cancellation")
    assert await find_traces(house, *TRACES) != {}
    closed = await quill.post(CLOSURE, json=await give_up(house, quill), headers=KEY)
    assert closed.status_code == 201, closed.text
    await relay_all(house)
    await sequence_all(house)
    assert await find_traces(house, *TRACES) == {}
    assert {pull.username for pull in await pulls_of(house)} == {"Anonymous"}
    assert USERNAME not in (await ada.get("/api/v1/feed?limit=100")).text
    assert USERNAME not in (await ada.get("/feed")).text
