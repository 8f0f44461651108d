"""Somebody closes their account: nothing is owed afterwards, and nothing tells who it was."""

import pytest

from packhouse import accounts, draws, shipping, wallet
from packhouse.accounts import AccountClosed, AccountSuspended, BadCredentials, NotSignedIn
from packhouse.catalog import Card
from packhouse.flows.adjust_balance import AdjustBalance, Adjustment, adjust_balance
from packhouse.flows.change_role import ChangeRole, change_role
from packhouse.flows.close_account import ClosedAccount, Forfeit, close_account
from packhouse.flows.move_shipment import (
    CancelShipping,
    FulfilShipment,
    Transition,
    cancel_shipping,
    fulfil_shipment,
)
from packhouse.flows.read_receipt import read_receipt
from packhouse.flows.request_shipping import (
    PlacedShippingRequest,
    RequestShipping,
    ShippingOrder,
    request_shipping,
)
from packhouse.flows.rotate_seed import find_current_seed, rotate_seed, store_client_seed
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, sell_cards_back
from packhouse.flows.sign_in import SignIn, sign_in
from packhouse.flows.suspend_account import SuspendAccount, suspend_account
from packhouse.flows.top_up import top_up
from packhouse.foundation.errors import Refusal
from packhouse.foundation.events import SeedRevealed
from packhouse.house import House
from packhouse.plumbing.idempotency import IdempotencyKeyReused
from packhouse.shipping import ParcelsUnderway, ShippingStatus
from packhouse.vault import CardsLeft
from packhouse.wallet import CreditsLeft
from worlds.announced import list_facts
from worlds.ember_counter import (
    VALUE_MINOR,
    Person,
    balance_of,
    buying,
    cards_of,
    entries_of,
    kill_at,
    open_one,
    places_of,
    pulls_of,
    record_everything,
    relay_all,
    repeat_of,
    suspend,
)
from worlds.leaving import (
    EMAIL,
    HOME,
    PASSWORD,
    TRACES,
    USERNAME,
    closing,
    find_traces,
    register_quill,
)

CREDITS_MINOR = 5_000


@pytest.fixture
async def quill(house: House) -> Person:
    """Quill collects, has a password and 50.00 credits."""
    return await register_quill(house, credits_minor=CREDITS_MINOR)


async def order_parcel(house: House, person: Person) -> PlacedShippingRequest:
    """Everything in the vault goes home."""
    ids = tuple(card.id for card in await cards_of(house, person) if card.is_shippable)
    request = ShippingOrder(user_card_ids=ids, address=HOME)
    return await request_shipping(
        house, RequestShipping(person.user_id, request, repeat_of(person, request))
    )


async def deliver(
    house: House, staff: Person, parcel: PlacedShippingRequest, *way: ShippingStatus
) -> None:
    for status in way:
        step = Transition(status=status, tracking_number="PH1", note=f"For you, {USERNAME}.")
        await fulfil_shipment(house, FulfilShipment(parcel.id, step, staff.actor))


async def live_through(house: House, olga: Person, quill: Person) -> None:
    """Quill opens, sells, is sent a parcel, stores a seed and rotates; the relay has half of it."""
    await store_client_seed(house, quill.user_id, f"the seed of {USERNAME}")
    await open_one(house, quill, "ember", quantity=3)
    await relay_all(house)
    await rotate_seed(house, quill.user_id)
    await open_one(house, quill, "ember", quantity=2)
    sale = SaleRequest(((await cards_of(house, quill))[0].id,))
    await sell_cards_back(house, SellCardsBack(quill.user_id, sale, repeat_of(quill, sale)))
    parcel = await order_parcel(house, quill)
    await deliver(house, olga, parcel, "packing", "shipped", "delivered")


async def close_with_everything(
    house: House, person: Person, *, key: str | None = None
) -> ClosedAccount:
    cards = [card for card in await cards_of(house, person) if card.state == "vaulted"]
    forfeit = Forfeit(credits=await balance_of(house, person), cards=len(cards))
    return await close_account(house, closing(person, forfeit=forfeit, key=key))


async def test_nothing_in_the_whole_database_tells_whose_a_closed_account_was(
    house: House, olga: Person, quill: Person, ember: Card
) -> None:
    await live_through(house, olga, quill)
    assert {"users", "user_emails", "user_names", "global_feed", "outbox"} <= (
        await find_traces(house, *TRACES)
    ).keys()
    assert {"shipping_requests", "shipping_request_events", "seed_pairs"} <= (
        await find_traces(house, *TRACES)
    ).keys()
    await close_with_everything(house, quill)
    await relay_all(house)
    traces = await find_traces(house, *TRACES)
    # What staff wrote as a reason is theirs to answer for; the seed was sent with openings.
    assert traces.keys() <= {"audit_log", "openings"}
    assert all("For you," in row for row in traces.get("audit_log", []))
    assert all("the seed of" in row for row in traces["openings"])


async def test_a_closed_account_is_a_tombstone_on_which_everything_still_hangs(
    house: House, olga: Person, quill: Person, ember: Card
) -> None:
    await live_through(house, olga, quill)
    entries = await entries_of(house, quill)
    closed = await close_with_everything(house, quill)
    async with house.database.connection() as connection:
        user = await accounts.get_user(connection, quill.user_id)
        secret = await connection.fetchrow(
            "SELECT password_hash, birth_date FROM users WHERE id = $1", quill.user_id
        )
        (parcel,) = await shipping.list_shipping_requests(
            connection, user_id=quill.user_id, before=None, limit=9
        )
    assert (user.username, user.email, user.closed_at) == ("Closed account", "", closed.closed_at)
    assert secret is not None
    assert tuple(secret) == ("", None)
    assert (await entries_of(house, quill))[: len(entries)] == entries
    assert (parcel.status, parcel.address.country, parcel.tracking_number) == (
        *("delivered", "US"),
        "PH1",
    )
    assert parcel.cost > 0


async def test_the_seed_in_force_is_revealed_as_by_a_rotation(
    house: House, quill: Person, ember: Card
) -> None:
    current = await find_current_seed(house, quill.user_id)
    opened = await open_one(house, quill, "ember", quantity=2)
    closed = await close_with_everything(house, quill)
    assert draws.commitment_to(bytes.fromhex(closed.server_seed)) == current.pair.commitment
    assert (closed.commitment, closed.openings) == (current.pair.commitment.hex(), 2)
    (revealed,) = await list_facts(house, SeedRevealed, by=quill.user_id)
    assert (revealed.server_seed, revealed.openings) == (closed.server_seed, 2)
    await relay_all(house)
    receipt = await read_receipt(house, opened.openings[0].id, viewer=None)
    assert receipt.server_seed == closed.server_seed


async def test_pulls_become_anonymous_whether_the_relay_has_them_or_not(
    house: House, quill: Person, ada: Person, ember: Card
) -> None:
    await open_one(house, quill, "ember", quantity=2)
    await open_one(house, ada, "ember")
    await relay_all(house)
    await open_one(house, quill, "ember")
    await close_with_everything(house, quill)
    await relay_all(house)
    names = [pull.username for pull in await pulls_of(house)]
    assert names == ["Anonymous", "Anonymous", "ada", "Anonymous"]


async def test_credits_and_cards_that_are_given_up_go_to_the_house(
    house: House, quill: Person, ember: Card
) -> None:
    await open_one(house, quill, "ember", quantity=2)
    closed = await close_account(
        house, closing(quill, forfeit=Forfeit(credits=CREDITS_MINOR - 200, cards=2))
    )
    assert closed.forfeited == Forfeit(credits=4_800, cards=2)
    last = (await entries_of(house, quill))[-1]
    assert (last.kind, last.amount, last.balance_after) == ("forfeiture", -4_800, 0)
    assert await places_of(house, ember) == {"on_sale": 38, "house": 2}
    assert {card.state for card in await cards_of(house, quill)} == {"forfeited"}
    await relay_all(house)
    async with house.database.connection() as connection:
        assert (await wallet.list_house_accounts(connection))["forfeitures"] == 4_800


async def test_an_empty_account_gives_up_nothing(house: House) -> None:
    quill = await register_quill(house)
    closed = await close_account(house, closing(quill))
    assert closed.forfeited == Forfeit()
    assert await entries_of(house, quill) == []


async def test_all_sessions_end_and_nobody_signs_in_any_more(house: House, quill: Person) -> None:
    session = await sign_in(house, SignIn(EMAIL, PASSWORD))
    token_hash = accounts.hash_token(session.token)
    assert await house.sessions.find(house.database, token_hash, now=house.clock())
    await close_with_everything(house, quill)
    assert await house.sessions.find(house.database, token_hash, now=house.clock()) is None
    with pytest.raises(BadCredentials) as of_closed:
        await sign_in(house, SignIn(EMAIL, PASSWORD))
    with pytest.raises(BadCredentials) as of_unknown:
        await sign_in(house, SignIn("nobody@letterbox.example", PASSWORD))
    assert of_closed.value.message == of_unknown.value.message


async def test_looking_for_a_closed_address_checks_a_decoy_as_for_an_unknown_one(
    house: House, quill: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await close_with_everything(house, quill)
    asked: list[str | None] = []
    is_right = house.passwords.is_right

    async def record(password: str, *, password_hash: str | None) -> bool:
        asked.append(password_hash)
        return await is_right(password, password_hash=password_hash)

    monkeypatch.setattr(house.passwords, "is_right", record)
    for email in (EMAIL, "nobody@letterbox.example"):
        with pytest.raises(BadCredentials):
            await sign_in(house, SignIn(email, PASSWORD))
    assert asked == [None, None]


async def test_address_and_name_can_be_taken_anew_by_somebody_else(
    house: House, quill: Person, ember: Card
) -> None:
    await open_one(house, quill, "ember")
    await close_with_everything(house, quill)
    again = await register_quill(house, credits_minor=500)
    assert again.user_id != quill.user_id
    await open_one(house, again, "ember")
    await relay_all(house)
    assert [pull.username for pull in await pulls_of(house)] == ["Anonymous", USERNAME]


async def test_the_name_of_who_acted_as_staff_stays_in_the_audit_log_and_stays_taken(
    house: House, olga: Person
) -> None:
    quill = await register_quill(house)
    await change_role(house, ChangeRole(olga.actor, quill.user_id, "staff", "A test."))
    await close_account(house, closing(quill))
    traces = await find_traces(house, *TRACES)
    assert traces.keys() == {"audit_log", "user_names"}
    with pytest.raises(accounts.UsernameTaken):
        await register_quill(house)
    assert await register_quill(house, username="somebody-else")


async def test_what_staff_do_to_people_names_them_by_id(
    house: House, olga: Person, quill: Person
) -> None:
    await suspend_account(house, SuspendAccount(olga.actor, quill.user_id, "A test."))
    request = Adjustment(amount=5, reason="A test.")
    await adjust_balance(
        house, AdjustBalance(quill.user_id, request, olga.actor, repeat_of(olga, request))
    )
    assert "audit_log" not in await find_traces(house, *TRACES)


async def refuse(house: House, person: Person, refusal: type[Refusal], forfeit: Forfeit) -> None:
    """It is refused, and nothing is changed."""
    before = await record_everything(house)
    with pytest.raises(refusal):
        await close_account(house, closing(person, forfeit=forfeit))
    assert await record_everything(house) == before


@pytest.mark.parametrize("given_up", [0, CREDITS_MINOR - 1, CREDITS_MINOR + 1])
async def test_a_balance_is_in_the_way_unless_just_that_is_given_up(
    house: House, quill: Person, given_up: int
) -> None:
    await refuse(house, quill, CreditsLeft, Forfeit(credits=given_up))


@pytest.mark.parametrize("given_up", [0, 1, 3])
async def test_cards_are_in_the_way_unless_just_as_many_are_given_up(
    house: House, quill: Person, ember: Card, given_up: int
) -> None:
    await open_one(house, quill, "ember", quantity=2)
    await refuse(house, quill, CardsLeft, Forfeit(credits=4_800, cards=given_up))


@pytest.mark.parametrize("way", [(), ("packing",), ("packing", "shipped")])
async def test_parcels_that_have_not_arrived_are_in_the_way(
    house: House, olga: Person, quill: Person, ember: Card, way: tuple[ShippingStatus, ...]
) -> None:
    await open_one(house, quill, "ember")
    await deliver(house, olga, await order_parcel(house, quill), *way)
    await refuse(house, quill, ParcelsUnderway, Forfeit(credits=await balance_of(house, quill)))


@pytest.mark.parametrize(
    "way", [("packing", "shipped", "lost"), ("packing", "shipped", "delivered")]
)
async def test_parcels_that_have_ended_are_not(
    house: House, olga: Person, quill: Person, ember: Card, way: tuple[ShippingStatus, ...]
) -> None:
    await open_one(house, quill, "ember")
    await deliver(house, olga, await order_parcel(house, quill), *way)
    await close_with_everything(house, quill)


async def test_a_parcel_called_off_leaves_its_cards_to_be_given_up(
    house: House, quill: Person, ember: Card
) -> None:
    await open_one(house, quill, "ember")
    parcel = await order_parcel(house, quill)
    await cancel_shipping(house, CancelShipping(quill.user_id, parcel.id))
    closed = await close_with_everything(house, quill)
    assert closed.forfeited == Forfeit(credits=4_900, cards=1)


async def test_a_wrong_password_closes_nothing(house: House, quill: Person) -> None:
    before = await record_everything(house)
    with pytest.raises(BadCredentials):
        await close_account(house, closing(quill, password="not the right one"))
    assert await record_everything(house) == before


async def test_a_suspended_account_cannot_be_closed(house: House, quill: Person) -> None:
    await suspend(house, quill)
    await refuse(house, quill, AccountSuspended, Forfeit(credits=CREDITS_MINOR))


async def test_the_last_owner_stays(house: House, olga: Person) -> None:
    quill = await register_quill(house)
    await change_role(house, ChangeRole(olga.actor, quill.user_id, "owner", "A test."))
    await suspend(house, olga)
    await refuse(house, quill, accounts.LastOwner, Forfeit())


async def test_a_repeated_request_gets_the_first_answer(house: House, quill: Person) -> None:
    first = await close_account(
        house, closing(quill, forfeit=Forfeit(credits=CREDITS_MINOR), key="one")
    )
    before = await record_everything(house)
    again = closing(quill, forfeit=Forfeit(credits=CREDITS_MINOR), key="one", password="forgotten")
    assert await close_account(house, again) == first
    with pytest.raises(IdempotencyKeyReused):
        await close_account(house, closing(quill, key="one"))
    with pytest.raises(NotSignedIn):
        await close_account(house, closing(quill, key="two"))
    assert await record_everything(house) == before


@pytest.mark.parametrize(
    "table",
    [
        *("user_cards", "stock_items", "wallets", "seed_pairs", "outbox", "users", "sessions"),
        *("shipping_requests", "idempotency_keys", "global_feed"),
    ],
)
async def test_killed_at_any_step_it_is_done_wholly_or_not_at_all(
    house: House, olga: Person, quill: Person, ember: Card, table: str
) -> None:
    await open_one(house, quill, "ember")
    await relay_all(house)
    before = await record_everything(house)
    command = closing(quill, forfeit=Forfeit(credits=4_900, cards=1), key="one")
    await kill_at(house, table, close_account(house, command))
    assert await record_everything(house) == before
    assert (await close_account(house, command)).forfeited.credits == 4_900


async def test_a_closed_account_is_left_alone(
    house: House, olga: Person, quill: Person, ember: Card
) -> None:
    await open_one(house, quill, "ember")
    parcel = await order_parcel(house, quill)
    await deliver(house, olga, parcel, "packing", "shipped", "delivered")
    await close_with_everything(house, quill)
    request = Adjustment(amount=VALUE_MINOR, reason="A test.")
    adjustment = AdjustBalance(quill.user_id, request, olga.actor, repeat_of(olga, request))
    lost = FulfilShipment(parcel.id, Transition(status="lost"), olga.actor)
    before = await record_everything(house)
    for attempt in (
        adjust_balance(house, adjustment),
        fulfil_shipment(house, lost),
        suspend_account(house, SuspendAccount(olga.actor, quill.user_id, "A test.")),
        change_role(house, ChangeRole(olga.actor, quill.user_id, "staff", "A test.")),
    ):
        with pytest.raises(AccountClosed):
            await attempt
    for late in (
        top_up(house, buying(quill, 500)),
        open_one(house, quill, "ember"),
        rotate_seed(house, quill.user_id),
    ):
        with pytest.raises(NotSignedIn):
            await late
    assert await record_everything(house) == before


async def test_staff_find_a_closed_account_by_its_id_alone(house: House, quill: Person) -> None:
    await close_with_everything(house, quill)
    async with house.database.connection() as connection:
        page = await accounts.list_users_page(connection, search=None, cursor=None, limit=9)
        assert page.users == ()
        assert await accounts.count_users(connection) == 0
        assert (await accounts.get_user(connection, quill.user_id)).closed_at == house.clock()


def test_a_command_shows_nothing_when_it_is_printed(quill: Person) -> None:
    assert repr(closing(quill)) == "CloseAccount(…)"
