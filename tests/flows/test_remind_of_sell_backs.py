"""Collectors are told the day before that the sell-back time of their cards ends, and once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

import msgspec
import pytest

from packhouse.catalog import Card
from packhouse.flows.remind_of_sell_backs import hours_of, remind_of_sell_backs
from packhouse.flows.sell_cards_back import SaleRequest, SellCardsBack, sell_cards_back
from packhouse.flows.send_letter import send_reminder
from packhouse.foundation.jobs import RemindOfSellBacks, SendReminder
from packhouse.house import House
from packhouse.plumbing.mail import MailFolder
from packhouse.vault import UserCard
from worlds.ember_counter import (
    Person,
    ShopClock,
    cards_of,
    kill_at,
    odds_of,
    open_one,
    publish,
    repeat_of,
)
from worlds.queued_jobs import list_payloads

ASK = RemindOfSellBacks()


@pytest.fixture
def writing(house: House, tmp_path: Path) -> House:
    """The house with a folder for letters."""
    mail = MailFolder(tmp_path / "mail", sender="shop@example.com", host="shop.example")
    return msgspec.structs.replace(house, mail=mail)


def read_letters(folder: Path) -> list[EmailMessage]:
    letters = []
    for path in sorted((folder / "mail").glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=SMTPUTF8)
        assert isinstance(letter, EmailMessage)
        letters.append(letter)
    return letters


async def list_reminders(house: House) -> list[SendReminder]:
    payloads = await list_payloads(house, "send_reminder")
    return [msgspec.json.decode(payload, type=SendReminder) for payload in payloads]


def until_the_morning_before(card: UserCard, house: House, clock: ShopClock) -> date:
    """Move on to the day before the card's sell-back time ends; gives the day on which it does."""
    day = card.sell_back_until.date()
    morning = datetime.combine(day - timedelta(days=1), time(8), tzinfo=UTC)
    clock.forward(seconds=(morning - house.clock()).total_seconds())
    return day


async def sell(house: House, person: Person, cards: Sequence[UserCard]) -> None:
    sale = SaleRequest(user_card_ids=tuple(card.id for card in cards))
    await sell_cards_back(house, SellCardsBack(person.user_id, sale, repeat_of(person, sale)))


async def test_the_day_before_there_is_one_letter_for_all_cards(
    writing: House, tmp_path: Path, ada: Person, ben: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(writing, ada, "ember", quantity=2)
    clock.forward(hours=3)
    await open_one(writing, ada, "ember")
    clock.forward(days=1)
    await open_one(writing, ben, "ember")
    cards = await cards_of(writing, ada)
    day = until_the_morning_before(cards[0], writing, clock)
    await remind_of_sell_backs(writing, ASK)
    [reminder] = await list_reminders(writing)
    assert (reminder.user_id, reminder.day) == (ada.user_id, day)
    await send_reminder(writing, reminder)
    [letter] = read_letters(tmp_path)
    assert letter["To"] == "ada@example.com"
    assert letter["Subject"] == f"The sell-back time of 3 of your cards ends on {day:%A}"
    amount = sum(card.sell_back_amount for card in cards)
    assert f"pays {amount / 100:.2f} credits" in letter.get_content()


async def test_whoever_looks_again_tells_nobody_twice(
    writing: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(writing, ada, "ember")
    until_the_morning_before((await cards_of(writing, ada))[0], writing, clock)
    await asyncio.gather(remind_of_sell_backs(writing, ASK), remind_of_sell_backs(writing, ASK))
    await remind_of_sell_backs(writing, ASK)
    assert len(await list_reminders(writing)) == 1


async def test_who_is_killed_between_note_and_queue_tells_when_begun_again(
    writing: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(writing, ada, "ember")
    until_the_morning_before((await cards_of(writing, ada))[0], writing, clock)
    await kill_at(writing, "jobs.pgqueuer", remind_of_sell_backs(writing, ASK))
    assert await list_reminders(writing) == []
    await remind_of_sell_backs(writing, ASK)
    assert len(await list_reminders(writing)) == 1


async def test_what_was_sold_meanwhile_is_not_told_of(
    writing: House, tmp_path: Path, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(writing, ada, "ember", quantity=2)
    cards = await cards_of(writing, ada)
    until_the_morning_before(cards[0], writing, clock)
    await remind_of_sell_backs(writing, ASK)
    [reminder] = await list_reminders(writing)
    await sell(writing, ada, cards[:1])
    await send_reminder(writing, reminder)
    [letter] = read_letters(tmp_path)
    assert "1 of your cards" in letter["Subject"]
    assert "it stays yours" in letter.get_content()


async def test_who_has_sold_everything_gets_no_letter(
    writing: House, tmp_path: Path, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(writing, ada, "ember")
    cards = await cards_of(writing, ada)
    until_the_morning_before(cards[0], writing, clock)
    await remind_of_sell_backs(writing, ASK)
    await sell(writing, ada, cards)
    for reminder in await list_reminders(writing):
        await send_reminder(writing, reminder)
    assert read_letters(tmp_path) == []


@pytest.mark.parametrize("days", [-1, 1])
async def test_of_another_day_nobody_is_told(
    writing: House, ada: Person, ember: Card, clock: ShopClock, days: int
) -> None:
    await open_one(writing, ada, "ember")
    until_the_morning_before((await cards_of(writing, ada))[0], writing, clock)
    clock.forward(days=days)
    await remind_of_sell_backs(writing, ASK)
    assert await list_reminders(writing) == []


async def test_of_a_time_so_short_nobody_is_told(
    writing: House, olga: Person, ada: Person, ember: Card, clock: ShopClock
) -> None:
    brief = msgspec.structs.replace(odds_of("001"), sell_back_window_days=1)
    await publish(writing, olga, "brief", brief)
    await open_one(writing, ada, "brief")
    await remind_of_sell_backs(writing, ASK)
    assert await list_reminders(writing) == []


async def test_without_letters_nothing_is_noted(
    house: House, writing: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(house, ada, "ember")
    until_the_morning_before((await cards_of(house, ada))[0], house, clock)
    await remind_of_sell_backs(house, ASK)
    assert await list_reminders(house) == []
    await remind_of_sell_backs(writing, ASK)
    assert len(await list_reminders(house)) == 1


async def test_notes_of_days_that_are_over_are_forgotten(
    writing: House, ada: Person, ember: Card, clock: ShopClock
) -> None:
    await open_one(writing, ada, "ember")
    until_the_morning_before((await cards_of(writing, ada))[0], writing, clock)
    await remind_of_sell_backs(writing, ASK)
    clock.forward(days=2)
    await remind_of_sell_backs(writing, ASK)
    async with writing.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sell_back_notices") == 0


def test_a_day_is_looked_through_without_a_gap() -> None:
    hours = list(hours_of(date(2026, 11, 29)))
    assert len(hours) == 24
    assert hours[0] == datetime(2026, 11, 29, tzinfo=UTC)
    assert hours[-1] + timedelta(hours=1) == datetime(2026, 11, 30, tzinfo=UTC)
