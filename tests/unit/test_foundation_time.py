"""Ages and timestamps."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.time import age_on, to_rfc3339, utc_now


@pytest.mark.parametrize(
    ("birth_date", "day", "age"),
    [
        (date(2008, 5, 1), date(2026, 4, 30), 17),
        (date(2008, 5, 1), date(2026, 5, 1), 18),
        (date(2008, 5, 1), date(2026, 5, 2), 18),
        (date(2008, 12, 31), date(2026, 1, 1), 17),
        (date(2026, 5, 1), date(2026, 5, 1), 0),
    ],
)
def test_a_year_is_lived_on_the_birthday(birth_date: date, day: date, age: int) -> None:
    assert age_on(day, birth_date=birth_date) == age


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (date(2026, 2, 28), 17),
        (date(2026, 3, 1), 18),
        (date(2028, 2, 28), 19),
        (date(2028, 2, 29), 20),
    ],
)
def test_a_leap_day_child_has_a_birthday_on_1_march_in_other_years(day: date, age: int) -> None:
    assert age_on(day, birth_date=date(2008, 2, 29)) == age


@given(
    st.dates(date(1900, 1, 1), date(2020, 12, 31)),
    st.dates(date(2021, 1, 1), date(2090, 12, 31)),
    st.integers(0, 1_000),
)
def test_nobody_grows_younger(birth_date: date, day: date, later: int) -> None:
    assert age_on(day, birth_date=birth_date) <= age_on(
        day + timedelta(days=later), birth_date=birth_date
    )


def test_the_present_is_aware_and_in_utc() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_a_moment_is_written_in_utc_with_a_z() -> None:
    in_berlin = datetime(2026, 5, 1, 14, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
    assert to_rfc3339(in_berlin) == "2026-05-01T12:00:00.250000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_moment_reads_back_exactly(moment: datetime) -> None:
    assert datetime.fromisoformat(to_rfc3339(moment)) == moment
