"""Percentiles of statements from PostgreSQL's own log of a sample."""

import pytest

from packhouse.bench.model import StatementTimes
from packhouse.bench.statement_samples import (
    add_durations,
    key_of,
    read_durations,
    split_entries,
    whole_of,
    with_durations,
)

LOG = """\
2026-11-27 03:00:00.000 UTC [7] LOG:  duration: 0.100 ms  bind __asyncpg_stmt_1__: SELECT name
\tFROM cards WHERE place = 'on_sale' AND id = $1
2026-11-27 03:00:00.000 UTC [8] LOG:  duration: 0.010 ms  statement: BEGIN;
2026-11-27 03:00:00.001 UTC [7] LOG:  duration: 1.900 ms  execute __asyncpg_stmt_1__: SELECT name
\tFROM cards WHERE place = 'on_sale' AND id = $1
2026-11-27 03:00:00.002 UTC [7] LOG:  checkpoint starting: time
2026-11-27 03:00:00.003 UTC [8] LOG:  duration: 5.000 ms  statement: COMMIT;
"""
SELECT = "SELECT name FROM cards WHERE place = 'on_sale' AND id = $1"


def test_planning_and_execution_of_a_statement_are_one_duration() -> None:
    durations = read_durations(split_entries(LOG))
    assert set(durations) == {key_of(SELECT), "BEGIN", "COMMIT"}
    assert durations[key_of(SELECT)].percentile_ms(50) == pytest.approx(2.0, rel=0.01)
    assert len(whole_of(durations)) == 3


def test_a_statement_is_known_again_whatever_stands_for_its_constants() -> None:
    told = "SELECT name  FROM cards WHERE place = $2 AND id = $1"
    assert key_of(told) == key_of(SELECT)
    assert key_of("SELECT a1 FROM t LIMIT 20;") == key_of("SELECT a1 FROM t LIMIT $1")
    assert key_of("SELECT a1 FROM t") != key_of("SELECT a2 FROM t")


def test_what_was_timed_one_by_one_replaces_the_guess() -> None:
    guess = StatementTimes(
        statement="SELECT name FROM cards WHERE place = $2 AND id = $1",
        calls=9, mean_ms=1, p95_ms=9, max_ms=9, total_ms=9, rows=9, buffers=9,
    )  # fmt: skip
    kept: dict[str, dict[int, int]] = {}
    add_durations(read_durations(split_entries(LOG)), into=kept)
    add_durations(read_durations(split_entries(LOG)), into=kept)
    (known,) = with_durations([guess], kept)
    assert known.p95_ms == pytest.approx(2.0, rel=0.01)
    assert (known.sampled, known.mean_ms) == (2, 1)
    assert with_durations([guess], {}) == [guess]
