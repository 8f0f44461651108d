"""How long statements take, one by one: PostgreSQL's own log of a sample of all transactions.

``pg_stat_statements`` knows means and maxima but no percentiles. So for the time of a measurement
PostgreSQL is told to log every statement of one in so many transactions, with its duration as it
measured it itself: planning and execution, waiting for locks and for the disk at a commit included.
Chance chooses whole transactions, so nothing is over-represented. The relay's and the sequencer's
statements are among them. Only an embedded server lets us read its log.
"""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from packhouse.bench.latencies import Latencies
from packhouse.bench.model import StatementTimes
from packhouse.bench.stage import Stage

WANTED_A_SECOND: Final = 40
"""Transactions to be logged, about: enough for a percentile, too few to cost anything."""

_LINE: Final = re.compile(
    r"^\S+ \S+ \S+ \[(\d+)\] LOG:  duration: ([\d.]+) ms  (parse|bind|execute|statement)"
    r"(?: [^:]*)?: (.*)",
    re.DOTALL,
)
_CONSTANT: Final = re.compile(r"'[^']*'|\$\d+|(?<![\w.])\d+(?:\.\d+)?(?!\w)")
_BEGINS: Final = re.compile(r"^\d{4}-\d\d-\d\d ", re.MULTILINE)


Durations = dict[str, Latencies]
"""By statement."""


@asynccontextmanager
async def sampled_statements(stage: Stage, *, per_second: float) -> AsyncIterator[Durations]:
    """Sample while the block runs, with about ``per_second`` transactions; filled at its end."""
    found: Durations = {}
    log = stage.database_log
    if log is None:
        yield found
        return
    share = min(1.0, WANTED_A_SECOND / per_second)
    await _set(stage, f"ALTER SYSTEM SET log_transaction_sample_rate = {share:.6f}")
    since = log.stat().st_size
    try:
        yield found
    finally:
        await _set(stage, "ALTER SYSTEM RESET log_transaction_sample_rate")
        with log.open("rb") as file:
            file.seek(since)
            text = file.read().decode(errors="replace")
        found.update(read_durations(split_entries(text)))


async def _set(stage: Stage, statement: str) -> None:
    async with stage.house.database.connection() as connection:
        await connection.execute(statement)
        await connection.execute("SELECT pg_reload_conf()")


def split_entries(text: str) -> list[str]:
    """The log's entries; statements of several lines are one."""
    starts = [found.start() for found in _BEGINS.finditer(text)]
    ends = [*starts[1:], len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def read_durations(entries: Iterable[str]) -> dict[str, Latencies]:
    """Each sampled statement's durations, planning (its ``bind`` or ``parse``) and all."""
    found: dict[str, Latencies] = defaultdict(Latencies)
    before: dict[str, float] = defaultdict(float)
    for entry in entries:
        matched = _LINE.match(entry)
        if matched is None:
            continue
        session, milliseconds, step, statement = matched.groups()
        if step in {"parse", "bind"}:
            before[session] += float(milliseconds)
            continue
        seconds = (float(milliseconds) + before.pop(session, 0.0)) / 1000
        found[key_of(statement)].record(seconds)
    return dict(found)


def key_of(statement: str) -> str:
    """The statement as ``pg_stat_statements`` and the log both tell it: without its constants."""
    return _CONSTANT.sub("?", " ".join(statement.split()).rstrip("; "))


def whole_of(durations: Durations) -> Latencies:
    """All statements together."""
    whole = Latencies()
    for each in durations.values():
        whole.add(each)
    return whole


def add_durations(durations: Durations, *, into: dict[str, dict[int, int]]) -> None:
    """Add them to what an outcome has already."""
    for statement, each in durations.items():
        known = Latencies(into.get(statement))
        known.add(each)
        into[statement] = known.counts()


def with_durations(
    statements: Sequence[StatementTimes], durations: Mapping[str, Mapping[int, int]]
) -> list[StatementTimes]:
    """The same, each with its true 95th percentile where it was timed one by one."""
    told = []
    for each in statements:
        counts = durations.get(key_of(each.statement))
        if counts is None:
            told.append(each)
            continue
        timed = Latencies(counts)
        told.append(
            msgspec.structs.replace(each, p95_ms=timed.percentile_ms(95), sampled=len(timed))
        )
    return told
