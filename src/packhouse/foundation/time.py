"""Time as the house tells it: aware datetimes in UTC, read through a clock that can be replaced."""

from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, aware, in UTC, with microseconds as PostgreSQL keeps them."""
    return datetime.now(UTC)


def age_on(day: date, *, birth_date: date) -> int:
    """Whole years lived on ``day``; someone born on 29 February has a birthday on 1 March."""
    had_birthday = (day.month, day.day) >= (birth_date.month, birth_date.day)
    return day.year - birth_date.year - (0 if had_birthday else 1)


def to_rfc3339(moment: datetime) -> str:
    """RFC 3339 text in UTC with ``Z``, to the microsecond."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
