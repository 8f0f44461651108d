"""A parcel on its way: packed and sent by staff, called off, returned or lost, each once."""

import asyncio
from typing import Final

import pytest

from packhouse import shipping
from packhouse.accounts import AccountSuspended
from packhouse.catalog import Card
from packhouse.flows.move_shipment import (
    CancelShipping,
    FulfilShipment,
    Transition,
    cancel_shipping,
    fulfil_shipment,
)
from packhouse.flows.request_shipping import (
    PlacedShippingRequest,
    RequestShipping,
    ShippingOrder,
    request_shipping,
)
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import ShippingRequestId, new_id
from packhouse.house import House
from packhouse.plumbing.audit import list_audit_entries
from packhouse.shipping import TRANSITIONS, BadTransition, ShippingRequest, ShippingStatus
from worlds.ember_counter import (
    PORTLAND,
    VALUE_MINOR,
    Person,
    balance_of,
    cards_of,
    entries_of,
    kill_at,
    open_one,
    outcomes_of,
    places_of,
    record_everything,
    relay_all,
    repeat_of,
    suspend,
)

WAYS: Final[dict[ShippingStatus, tuple[ShippingStatus, ...]]] = {
    "pending": (),
    "packing": ("packing",),
    "shipped": ("packing", "shipped"),
    "delivered": ("packing", "shipped", "delivered"),
    "cancelled": ("cancelled",),
    "returned": ("packing", "shipped", "returned"),
    "lost": ("packing", "shipped", "lost"),
}
"""How a request gets to each status."""


@pytest.fixture
async def parcel(house: House, ada: Person, ember: Card) -> PlacedShippingRequest:
    """Two of Ada's cards, on request; she had 48.00 credits before."""
    await open_one(house, ada, "ember", quantity=2)
    cards = await cards_of(house, ada)
    request = ShippingOrder(user_card_ids=tuple(card.id for card in cards), address=PORTLAND)
    return await request_shipping(
        house, RequestShipping(ada.user_id, request, repeat_of(ada, request))
    )


async def test_a_parcel_is_packed_sent_and_delivered(
    house: House, olga: Person, ada: Person, ember: Card, parcel: PlacedShippingRequest
) -> None:
    await move(house, olga, parcel, "packing")
    sent = await move(house, olga, parcel, "shipped", carrier="Post", tracking_number="PH1")
    delivered = await move(house, olga, parcel, "delivered")
    assert (sent.status, delivered.status) == ("shipped", "delivered")
    assert (delivered.carrier, delivered.tracking_number) == ("Post", "PH1")
    assert {card.state for card in await cards_of(house, ada)} == {"shipped"}
    assert await places_of(house, ember) == {"on_sale": 38, "shipped": 2}
    assert await balance_of(house, ada) == 4_800 - parcel.cost
    async with house.database.connection() as connection:
        events = await shipping.list_shipping_request_events(
            connection, user_id=ada.user_id, request_id=parcel.id
        )
        entries = await list_audit_entries(connection, before=None, limit=3)
    assert [(event.sequence, event.status) for event in events] == list(
        enumerate(["pending", "packing", "shipped", "delivered"], start=1)
    )
    assert {(entry.action, entry.subject) for entry in entries} == {
        ("fulfil_shipment", f"shipping_request:{parcel.id}")
    }
    assert [entry.details["status"] for entry in entries] == ["delivered", "shipped", "packing"]


@pytest.mark.parametrize("way", [("cancelled",), ("packing", "cancelled")])
async def test_a_cancelled_parcel_gives_cards_and_credits_back(
    house: House,
    olga: Person,
    ada: Person,
    ember: Card,
    parcel: PlacedShippingRequest,
    way: tuple[ShippingStatus, ...],
) -> None:
    for status in way[:-1]:
        await move(house, olga, parcel, status)
    cancelled = await cancel_shipping(house, CancelShipping(ada.user_id, parcel.id))
    assert cancelled.status == "cancelled"
    assert {card.state for card in await cards_of(house, ada)} == {"vaulted"}
    assert await places_of(house, ember) == {"on_sale": 38, "vaulted": 2}
    assert await balance_of(house, ada) == 4_800
    assert (await entries_of(house, ada))[-1].kind == "shipping_refund"
    await relay_all(house)


@pytest.mark.parametrize("before", ["shipped", "delivered"])
async def test_a_returned_parcel_brings_the_cards_back_but_not_its_cost(
    house: House,
    olga: Person,
    ada: Person,
    ember: Card,
    parcel: PlacedShippingRequest,
    before: ShippingStatus,
) -> None:
    await bring_to(house, olga, parcel, before)
    await move(house, olga, parcel, "returned")
    assert {card.state for card in await cards_of(house, ada)} == {"vaulted"}
    assert await places_of(house, ember) == {"on_sale": 38, "vaulted": 2}
    assert await balance_of(house, ada) == 4_800 - parcel.cost


@pytest.mark.parametrize("before", ["shipped", "delivered"])
async def test_a_lost_parcel_is_paid_at_its_cards_locked_value(
    house: House,
    olga: Person,
    ada: Person,
    ember: Card,
    parcel: PlacedShippingRequest,
    before: ShippingStatus,
) -> None:
    await bring_to(house, olga, parcel, before)
    await move(house, olga, parcel, "lost")
    assert {card.state for card in await cards_of(house, ada)} == {"lost"}
    assert await places_of(house, ember) == {"on_sale": 38, "lost": 2}
    assert await balance_of(house, ada) == 4_800 - parcel.cost + 2 * VALUE_MINOR
    await relay_all(house)


@pytest.mark.parametrize("status", list(WAYS))
async def test_no_status_leads_where_the_state_machine_does_not(
    house: House, olga: Person, parcel: PlacedShippingRequest, status: ShippingStatus
) -> None:
    await bring_to(house, olga, parcel, status)
    before = await record_everything(house)
    for wanted in TRANSITIONS.keys() - TRANSITIONS[status]:
        with pytest.raises(BadTransition):
            await move(house, olga, parcel, wanted)
    assert await record_everything(house) == before


async def test_a_sent_parcel_cannot_be_called_off(
    house: House, olga: Person, ada: Person, parcel: PlacedShippingRequest
) -> None:
    await bring_to(house, olga, parcel, "shipped")
    with pytest.raises(BadTransition):
        await cancel_shipping(house, CancelShipping(ada.user_id, parcel.id))


async def test_nobody_calls_off_what_is_anothers(
    house: House, ben: Person, parcel: PlacedShippingRequest
) -> None:
    before = await record_everything(house)
    with pytest.raises(NotFound):
        await cancel_shipping(house, CancelShipping(ben.user_id, parcel.id))
    assert await record_everything(house) == before


@pytest.mark.parametrize("relayed", [False, True])
async def test_staff_find_a_request_before_and_after_the_relay_noted_it(
    house: House, olga: Person, parcel: PlacedShippingRequest, *, relayed: bool
) -> None:
    if relayed:
        await relay_all(house)
    assert (await move(house, olga, parcel, "packing")).id == parcel.id


async def test_an_id_that_no_request_has_is_not_found(house: House, olga: Person) -> None:
    command = FulfilShipment(
        ShippingRequestId(new_id()), Transition(status="packing"), actor=olga.actor
    )
    with pytest.raises(NotFound):
        await fulfil_shipment(house, command)


async def test_a_suspended_person_moves_nothing(
    house: House, olga: Person, ada: Person, parcel: PlacedShippingRequest
) -> None:
    for person in (olga, ada):
        await suspend(house, person)
    before = await record_everything(house)
    with pytest.raises(AccountSuspended):
        await move(house, olga, parcel, "packing")
    with pytest.raises(AccountSuspended):
        await cancel_shipping(house, CancelShipping(ada.user_id, parcel.id))
    assert await record_everything(house) == before


async def test_a_parcel_sent_and_called_off_at_once_is_one_of_both(
    house: House, second_house: House, olga: Person, ada: Person, parcel: PlacedShippingRequest
) -> None:
    await move(house, olga, parcel, "packing")
    results = await asyncio.gather(
        *(move(house, olga, parcel, "shipped") for _ in range(3)),
        *(cancel_shipping(second_house, CancelShipping(ada.user_id, parcel.id)) for _ in range(3)),
        return_exceptions=True,
    )
    assert outcomes_of(results, BadTransition) == 5


async def test_cancelling_twice_refunds_once(
    house: House, second_house: House, ada: Person, parcel: PlacedShippingRequest
) -> None:
    results = await asyncio.gather(
        *(
            cancel_shipping((house, second_house)[n % 2], CancelShipping(ada.user_id, parcel.id))
            for n in range(4)
        ),
        return_exceptions=True,
    )
    assert outcomes_of(results, BadTransition) == 3
    assert await balance_of(house, ada) == 4_800


async def test_two_of_staff_at_once_pack_a_request_once(
    house: House, second_house: House, olga: Person, parcel: PlacedShippingRequest
) -> None:
    results = await asyncio.gather(
        *(move((house, second_house)[n % 2], olga, parcel, "packing") for n in range(4)),
        return_exceptions=True,
    )
    assert outcomes_of(results, BadTransition) == 3


async def test_a_cancellation_beside_packing_wins_in_the_end(
    house: House, second_house: House, olga: Person, ada: Person, parcel: PlacedShippingRequest
) -> None:
    _, cancelled = await asyncio.gather(
        move(house, olga, parcel, "packing"),
        cancel_shipping(second_house, CancelShipping(ada.user_id, parcel.id)),
        return_exceptions=True,
    )
    assert isinstance(cancelled, ShippingRequest)
    assert await balance_of(house, ada) == 4_800


async def test_a_parcel_is_not_lost_and_returned_by_two_at_once(
    house: House, second_house: House, olga: Person, parcel: PlacedShippingRequest
) -> None:
    await bring_to(house, olga, parcel, "shipped")
    results = await asyncio.gather(
        *(move(house, olga, parcel, "lost") for _ in range(2)),
        *(move(second_house, olga, parcel, "returned") for _ in range(2)),
        return_exceptions=True,
    )
    assert outcomes_of(results, BadTransition) == 3


@pytest.mark.parametrize(
    "table",
    [
        "user_cards",
        "stock_items",
        "wallets",
        "outbox",
        "shipping_requests",
        "shipping_request_events",
        "audit_log",
    ],
)
async def test_a_killed_loss_left_nothing_and_is_paid_once(
    house: House, olga: Person, ada: Person, parcel: PlacedShippingRequest, table: str
) -> None:
    await bring_to(house, olga, parcel, "shipped")
    before = await record_everything(house)
    await kill_at(house, table, move(house, olga, parcel, "lost"))
    assert await record_everything(house) == before
    await move(house, olga, parcel, "lost")
    assert await balance_of(house, ada) == 4_800 - parcel.cost + 2 * VALUE_MINOR


async def bring_to(
    house: House, staff: Person, parcel: PlacedShippingRequest, status: ShippingStatus
) -> None:
    for step in WAYS[status]:
        await move(house, staff, parcel, step)


async def move(
    house: House,
    staff: Person,
    parcel: PlacedShippingRequest,
    status: ShippingStatus,
    *,
    carrier: str | None = None,
    tracking_number: str | None = None,
) -> ShippingRequest:
    transition = Transition(status=status, carrier=carrier, tracking_number=tracking_number)
    return await fulfil_shipment(house, FulfilShipment(parcel.id, transition, staff.actor))
