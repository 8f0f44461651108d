"""Shipping requests and openings as PostgreSQL keeps them: lists, queues and pages."""

from datetime import datetime
from typing import Final

import pytest

from packhouse import draws, shipping
from packhouse.foundation.identifiers import ShippingRequestId, UserId, new_id
from packhouse.house import House
from packhouse.shipping import SHIPPING_STATUSES, Parcel, ShippingRequest, ShippingStatus
from worlds.ember_counter import PORTLAND, odds_of, open_one, publish, stock_card, welcome

ADA: Final = UserId(new_id())
BEN: Final = UserId(new_id())


@pytest.fixture
async def requests(house: House) -> list[ShippingRequest]:
    """Twelve requests, oldest first: Ada's and Ben's in turn, the first seven in each status."""
    pending: tuple[ShippingStatus, ...] = ("pending",) * 5
    made = [
        request_of((ADA, BEN)[n % 2], status, house.clock())
        for n, status in enumerate(SHIPPING_STATUSES + pending)
    ]
    async with house.database.transaction() as connection:
        for request in made:
            await shipping.insert_shipping_request(connection, request, [])
            await shipping.update_shipping_request(
                connection,
                user_id=request.user_id,
                request_id=request.id,
                status=request.status,
                carrier=None,
                tracking_number=None,
                now=house.clock(),
            )
    return made


async def test_a_collectors_list_is_newest_first_and_nobody_elses(
    house: House, requests: list[ShippingRequest]
) -> None:
    adas = [request for request in requests if request.user_id == ADA][::-1]
    async with house.database.connection() as connection:
        first = await shipping.list_shipping_requests(connection, user_id=ADA, before=None, limit=4)
        rest = await shipping.list_shipping_requests(
            connection, user_id=ADA, before=first[-1].id, limit=4
        )
        assert first + rest == adas
        assert (
            await shipping.find_shipping_request(connection, user_id=BEN, request_id=adas[0].id)
            is None
        )


async def test_the_queue_is_of_one_status_oldest_first(
    house: House, requests: list[ShippingRequest]
) -> None:
    pending = [request for request in requests if request.status == "pending"]
    async with house.database.connection() as connection:
        first = await shipping.list_shipping_queue(
            connection, status="pending", after=None, limit=4
        )
        rest = await shipping.list_shipping_queue(
            connection, status="pending", after=first[-1].id, limit=4
        )
        counts = await shipping.count_shipping_requests(connection)
        newest = await shipping.list_all_shipping_requests(connection, before=None, limit=3)
    assert first + rest == pending
    assert counts == {status: 6 if status == "pending" else 1 for status in SHIPPING_STATUSES}
    assert newest == requests[:-4:-1]


async def test_a_carrier_once_given_stays(house: House, requests: list[ShippingRequest]) -> None:
    async with house.database.transaction() as connection:
        for carrier, tracking_number in (("Post", "PH1"), (None, None), (None, "PH2")):
            await shipping.update_shipping_request(
                connection,
                user_id=ADA,
                request_id=requests[0].id,
                status="shipped",
                carrier=carrier,
                tracking_number=tracking_number,
                now=house.clock(),
            )
        kept = await shipping.find_shipping_request(
            connection, user_id=ADA, request_id=requests[0].id
        )
    assert kept is not None
    assert (kept.carrier, kept.tracking_number) == ("Post", "PH2")


async def test_steps_of_a_timeline_are_numbered_by_request(
    house: House, requests: list[ShippingRequest]
) -> None:
    async with house.database.transaction() as connection:
        for request in (requests[0], requests[2], requests[0]):
            await shipping.insert_shipping_request_event(
                connection,
                user_id=ADA,
                request_id=request.id,
                status="packing",
                actor_id=ADA,
                note=None,
                now=house.clock(),
            )
        events = await shipping.list_shipping_request_events(
            connection, user_id=ADA, request_id=requests[0].id
        )
    assert [event.sequence for event in events] == [1, 2]


async def test_the_directory_knows_whose_a_request_is_and_keeps_the_first_word(
    house: House, requests: list[ShippingRequest]
) -> None:
    async with house.database.transaction() as connection:
        for owner in (ADA, BEN):
            await shipping.insert_directory_entries(
                connection, [(requests[0].id, owner, house.clock())]
            )
        assert await shipping.find_request_owner(connection, requests[0].id) == ADA
        assert await shipping.find_request_owner(connection, requests[1].id) is None


async def test_openings_come_in_pages_newest_first(house: House) -> None:
    olga = await welcome(house, "olga", role="owner")
    ada = await welcome(house, "ada", credits_minor=1_000)
    await stock_card(house, olga, "002")
    await publish(house, olga, "spark", odds_of("002"))
    opened = await open_one(house, ada, "spark", quantity=5)
    newest_first = [each.id for each in opened.openings][::-1]
    async with house.database.connection() as connection:
        first = await draws.list_openings(connection, user_id=ada.user_id, before=None, limit=3)
        rest = await draws.list_openings(
            connection, user_id=ada.user_id, before=first[-1].id, limit=3
        )
    assert [receipt.id for receipt in (*first, *rest)] == newest_first


def request_of(user_id: UserId, status: ShippingStatus, now: datetime) -> ShippingRequest:
    quote = shipping.quote(
        Parcel(weight_grams=50, card_count=1, insured_value_minor=100),
        country="US",
        rate_card=shipping.DEFAULT_RATE_CARD,
    )
    return ShippingRequest(
        user_id=user_id,
        id=ShippingRequestId(new_id()),
        status=status,
        address=PORTLAND,
        cost=quote.cost_minor,
        quote=quote,
        carrier=None,
        tracking_number=None,
        created_at=now,
        updated_at=now,
    )
