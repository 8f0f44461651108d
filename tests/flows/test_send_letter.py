"""What happened leads to one letter, which arrives although the mail server was away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from packhouse.catalog import Card
from packhouse.flows.close_account import close_account
from packhouse.flows.move_shipment import FulfilShipment, Transition, fulfil_shipment
from packhouse.flows.relay_events import relay_events
from packhouse.flows.request_shipping import (
    PlacedShippingRequest,
    RequestShipping,
    ShippingOrder,
    request_shipping,
)
from packhouse.flows.send_letter import send_letter
from packhouse.foundation.errors import NotFound
from packhouse.foundation.events import AccountRegistered, Event, ShipmentMoved, WaitingEvent
from packhouse.foundation.identifiers import new_id
from packhouse.foundation.jobs import SendLetter
from packhouse.foundation.limits import JOB_ATTEMPTS_MAX
from packhouse.house import House
from packhouse.plumbing.mail import MailRefused, MailUnavailable, SmtpMail
from packhouse.plumbing.outbox import insert_events
from packhouse.shipping import ShippingStatus
from packhouse.worker.jobs import run_jobs
from worlds.ember_counter import PORTLAND, Person, cards_of, kill_at, open_one, relay_all, repeat_of
from worlds.leaving import EMAIL, TRACES, USERNAME, closing, find_traces, register_quill
from worlds.mail_server import MailServer, mail_server
from worlds.queued_jobs import (
    let_pauses_end,
    list_queue,
    list_reasons,
    until,
    until_queue_is,
    use_up_attempts,
)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as started:
        yield started


@pytest.fixture
def writing(house: House, server: MailServer) -> House:
    """The house with a mail server."""
    mail = SmtpMail(server.url, sender="Packhouse <shop@example.com>", host="shop.example")
    return msgspec.structs.replace(house, mail=mail)


@pytest.fixture
async def parcel(house: House, ada: Person, ember: Card) -> PlacedShippingRequest:
    """Two of Ada's cards, on request, which is relayed already."""
    await open_one(house, ada, "ember", quantity=2)
    cards = tuple(card.id for card in await cards_of(house, ada))
    request = ShippingOrder(user_card_ids=cards, address=PORTLAND)
    placed = await request_shipping(
        house, RequestShipping(ada.user_id, request, repeat_of(ada, request))
    )
    await relay_all(house)
    return placed


async def test_a_request_is_answered_by_a_letter(
    writing: House, server: MailServer, ada: Person, ember: Card
) -> None:
    await open_one(writing, ada, "ember")
    [card] = await cards_of(writing, ada)
    request = ShippingOrder(user_card_ids=(card.id,), address=PORTLAND)
    command = RequestShipping(ada.user_id, request, repeat_of(ada, request))
    placed = await request_shipping(writing, command)
    await relay_all(writing)
    async with jobs_done(writing):
        await until_queue_is(writing)
    [letter] = server.letters
    assert letter.recipients == ("ada@example.com",)
    assert letter.message["Subject"].endswith("we have your request")
    assert "1 card" in letter.text
    assert f"/shipping/{placed.id}" in letter.text


@pytest.mark.parametrize(
    ("event", "ending", "said"),
    [
        (ShipmentMoved("shipped"), "it is on its way", "2 cards"),
        (ShipmentMoved("delivered"), "it has arrived", "2 cards"),
        (ShipmentMoved("cancelled"), "it was called off", "The 2 cards are back"),
        (ShipmentMoved("returned"), "it came back to us", "The 2 cards are back"),
        (ShipmentMoved("lost"), "it was lost", "full value"),
    ],
)
async def test_a_collector_hears_what_becomes_of_a_parcel(
    writing: House,
    server: MailServer,
    ada: Person,
    parcel: PlacedShippingRequest,
    event: Event,
    ending: str,
    said: str,
) -> None:
    await relay(writing, ada, event, subject=parcel)
    await do_all(writing)
    [letter] = server.letters
    assert letter.message["Subject"].endswith(ending)
    assert said in letter.text
    assert letter.text.startswith("Hello ada,")


async def test_each_step_of_a_parcel_leads_to_its_letter(
    writing: House, server: MailServer, olga: Person, parcel: PlacedShippingRequest
) -> None:
    steps: tuple[ShippingStatus, ...] = ("packing", "shipped", "delivered")
    for status in steps:
        moved = Transition(status=status, carrier="Post", tracking_number="PH 1")
        await fulfil_shipment(writing, FulfilShipment(parcel.id, moved, olga.actor))
    await relay_all(writing)
    await do_all(writing)
    endings = sorted(letter.message["Subject"].partition(": ")[2] for letter in server.letters)
    assert endings == ["it has arrived", "it is on its way"]


async def test_a_parcel_on_its_way_has_its_tracking_number_in_the_letter(
    writing: House, server: MailServer, ada: Person, parcel: PlacedShippingRequest
) -> None:
    async with writing.database.connection() as connection:
        await connection.execute(
            "UPDATE shipping_requests SET carrier = 'Post', tracking_number = 'PH 1'"
        )
    await relay(writing, ada, ShipmentMoved("shipped"), subject=parcel)
    await do_all(writing)
    assert "Carrier: Post\nTracking number: PH 1\n" in server.letters[0].text


@pytest.mark.parametrize("event", [ShipmentMoved("packing"), ShipmentMoved("pending")])
async def test_nobody_is_written_to_without_need(
    writing: House, ada: Person, parcel: PlacedShippingRequest, event: Event
) -> None:
    await relay(writing, ada, event, subject=parcel)
    assert await list_queue(writing) == []


async def test_who_makes_an_account_is_welcomed(writing: House, server: MailServer) -> None:
    await register_quill(writing)
    await relay_all(writing)
    await do_all(writing)
    [letter] = server.letters
    assert letter.recipients == (EMAIL,)
    assert letter.message["Subject"] == "Welcome to Packhouse"
    assert "http://127.0.0.1:8000/fairness" in letter.text


async def test_without_a_mail_server_no_letter_is_asked_for(house: House, ada: Person) -> None:
    await relay(house, ada, AccountRegistered())
    assert await list_queue(house) == []


async def test_a_relay_that_is_killed_asks_for_no_letter_twice(writing: House, ada: Person) -> None:
    await write_event(writing, ada, AccountRegistered())
    await kill_at(writing, "outbox", relay_events(writing))
    assert await list_queue(writing) == []
    await relay_all(writing)
    await relay_all(writing)
    assert [each.entrypoint for each in await list_queue(writing)] == ["send_letter.v1"]


async def test_a_letter_that_is_sent_twice_is_the_same_letter(
    writing: House, server: MailServer, ada: Person
) -> None:
    job = welcome_of(ada)
    await send_letter(writing, job)
    await send_letter(writing, job)
    first, second = server.letters
    assert first.message["Message-ID"] == second.message["Message-ID"] == f"<{job.id}@shop.example>"
    assert first.raw == second.raw


async def test_who_has_left_gets_no_letter_and_is_not_in_the_queue(
    writing: House, server: MailServer
) -> None:
    quill = await register_quill(writing)
    await relay_all(writing)
    await close_account(writing, closing(quill))
    await relay_all(writing)
    assert await find_traces(writing, *TRACES) == {}
    await do_all(writing)
    assert server.letters == []


async def test_no_name_or_address_stands_in_the_queue(writing: House) -> None:
    await register_quill(writing)
    await relay_all(writing)
    async with writing.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT payload::text || ' ' || convert_from(payload, 'UTF8') AS told"
            " FROM jobs.pgqueuer"
        )
    assert rows
    assert not any(word in row["told"] for row in rows for word in (EMAIL, USERNAME))


async def test_a_letter_waits_until_the_mail_server_is_back(
    writing: House, server: MailServer, ada: Person
) -> None:
    await server.stop()
    await relay(writing, ada, AccountRegistered())
    async with jobs_done(writing):
        await until_queue_is(writing, ("queued", 1))
        await let_pauses_end(writing)
        await until_queue_is(writing, ("queued", 2))
        await server.start()
        await let_pauses_end(writing)
        await until_queue_is(writing)
    assert len(server.letters) == 1


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("RCPT", "550 5.1.1 <ada@example.com> is unknown"),
        ("END", "554 5.7.1 ada@example.com wants none"),
        ("MAIL", "553 5.1.8 not from you"),
    ],
)
async def test_what_is_refused_for_good_is_a_dead_letter_that_names_nobody(
    writing: House, server: MailServer, ada: Person, verb: str, answer: str
) -> None:
    server.answers[verb] = answer
    await relay(writing, ada, AccountRegistered())
    async with jobs_done(writing):
        await until_queue_is(writing, ("failed", 0))
    [told] = await list_reasons(writing)
    assert answer[:3] in told
    assert "ada" not in told


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("RCPT", "451 4.7.1 greylisted, come again"),
        ("END", "452 4.3.1 disk full"),
        ("MAIL", "421 4.3.2 going down"),
        ("EHLO", "550 5.0.0 not now"),
    ],
)
async def test_what_is_refused_for_now_is_tried_again(
    writing: House, server: MailServer, ada: Person, verb: str, answer: str
) -> None:
    server.answers |= {verb: answer, "HELO": answer} if verb == "EHLO" else {verb: answer}
    await relay(writing, ada, AccountRegistered())
    async with jobs_done(writing):
        await until_queue_is(writing, ("queued", 1))
    assert "mail_unavailable" in (await list_reasons(writing))[0]


async def test_a_wrong_password_loses_no_letter(
    house: House, server: MailServer, ada: Person
) -> None:
    server.answers |= {"EHLO": "250-mail.example\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 no"}
    url = server.url.replace("://", "://user:hunter2@")
    writing = msgspec.structs.replace(
        house, mail=SmtpMail(url, sender="shop@example.com", host="shop.example")
    )
    with pytest.raises(MailUnavailable) as told:
        await send_letter(writing, welcome_of(ada))
    assert "hunter2" not in str(told.value)


async def test_a_mail_server_that_says_nothing_is_given_up(
    writing: House, server: MailServer, ada: Person
) -> None:
    server.hangs = True
    sending = asyncio.create_task(send_letter(writing, welcome_of(ada)))
    await until(lambda: server.waiting == 1)
    await server.stop()
    with pytest.raises(MailUnavailable):
        await sending


async def test_an_address_that_is_none_is_a_dead_letter(
    writing: House, server: MailServer, ada: Person
) -> None:
    async with writing.database.connection() as connection:
        await connection.execute(
            "UPDATE users SET email = $1", "ada@example.com>\r\nRCPT TO:<eve@example.com"
        )
    with pytest.raises(MailRefused):
        await send_letter(writing, welcome_of(ada))
    assert server.letters == []


async def test_a_worker_without_a_mail_server_keeps_the_letter(house: House, ada: Person) -> None:
    with pytest.raises(MailUnavailable):
        await send_letter(house, welcome_of(ada))


async def test_a_letter_about_nothing_is_refused(writing: House, ada: Person) -> None:
    job = msgspec.structs.replace(welcome_of(ada), letter="parcel_lost")
    with pytest.raises(NotFound):
        await send_letter(writing, job)


async def test_a_dead_letter_after_hours_of_silence(
    writing: House, server: MailServer, ada: Person
) -> None:
    await server.stop()
    await relay(writing, ada, AccountRegistered())
    await use_up_attempts(writing)
    async with jobs_done(writing):
        await until_queue_is(writing, ("failed", JOB_ATTEMPTS_MAX - 1))


def welcome_of(person: Person) -> SendLetter:
    return SendLetter(
        letter="welcome", id=new_id(), user_id=person.user_id, subject_id=person.user_id
    )


async def write_event(
    house: House, person: Person, event: Event, *, subject: PlacedShippingRequest | None = None
) -> None:
    waiting = WaitingEvent(
        user_id=person.user_id,
        id=new_id(),
        subject_id=person.user_id if subject is None else subject.id,
        sequence=0,
        event=event,
        created_at=house.clock(),
    )
    async with house.database.transaction() as connection:
        await insert_events(connection, [waiting])


async def relay(
    house: House, person: Person, event: Event, *, subject: PlacedShippingRequest | None = None
) -> None:
    """Let something have happened, and be moved on."""
    await write_event(house, person, event, subject=subject)
    await relay_all(house)


@asynccontextmanager
async def jobs_done(house: House) -> AsyncIterator[None]:
    """A worker does jobs meanwhile."""
    stop = asyncio.Event()
    loop = asyncio.create_task(run_jobs(house, stop))
    yield
    stop.set()
    await loop


async def do_all(house: House) -> None:
    """Let a worker do all there is."""
    async with jobs_done(house):
        await until_queue_is(house)
