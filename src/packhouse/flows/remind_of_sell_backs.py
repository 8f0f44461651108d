"""A worker finds out, once a day, whose cards can be sold back until tomorrow and no longer.

That a sell-back time ends is nothing that has to be done: what may be sold when is a comparison
with the clock, in every sale anew. What a collector cannot know without looking is that the end is
near, so there is a letter the day before: one for all the cards of a day, and none for times so
short that it would come with the cards.

Cards are found by their age, which has an index and is the same for all cards of one window, an
hour of openings at a time. Who was told of a day is noted in the transaction that puts the letter
into the queue, so that it can be begun again anywhere. No locks.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import uuid5

from packhouse import draws, vault
from packhouse.foundation.identifiers import HOUSE, UserId
from packhouse.foundation.jobs import RemindOfSellBacks, SendReminder
from packhouse.foundation.limits import SELL_BACK_REMINDER_DAYS_MIN
from packhouse.house import House
from packhouse.plumbing.jobs import enqueue_jobs

STEP: Final = timedelta(hours=1)


async def remind_of_sell_backs(house: House, _: RemindOfSellBacks) -> None:
    """Have a letter sent to everybody with such cards, unless it was before."""
    if house.mail is None:
        return
    today = house.clock().date()
    day = today + timedelta(days=1)
    async with house.database.connection() as connection:
        windows = await draws.list_sell_back_windows(connection)
    for window in windows:
        if window < timedelta(days=SELL_BACK_REMINDER_DAYS_MIN):
            continue
        for hour in hours_of(day):
            await _remind(house, day, window, hour)
    async with house.database.transaction() as connection:
        await vault.delete_old_sell_back_notices(connection, before=today)


def hours_of(day: date) -> Iterator[datetime]:
    """When each hour of a day begins, in UTC."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    return (begin + number * STEP for number in range(24))


async def _remind(house: House, day: date, window: timedelta, hour: datetime) -> None:
    async with house.database.transaction() as connection:
        users = await vault.list_users_with_ending(
            connection,
            created_from=hour - window,
            created_until=hour - window + STEP,
            ends_from=hour,
            ends_until=hour + STEP,
        )
        untold = await vault.insert_sell_back_notices(connection, users, day=day) if users else []
        await enqueue_jobs(connection, [_reminder(user_id, day) for user_id in untold])


def _reminder(user_id: UserId, day: date) -> SendReminder:
    """The same letter whenever it is made, so that mailboxes know it again."""
    return SendReminder(id=uuid5(HOUSE, f"{user_id} {day}"), user_id=user_id, day=day)
