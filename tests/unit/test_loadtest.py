"""The load test plays the bench's mix, and fails where the plan says so."""

import runpy
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from packhouse.bench.activities import list_activities
from packhouse.readiness.other_checks import read_rows

FOLDER: Final = Path(__file__).parents[2] / "loadtest"
MIX: Final[dict[str, Any]] = runpy.run_path(str(FOLDER / "mix.py"))
THRESHOLDS: Final[dict[str, Any]] = runpy.run_path(str(FOLDER / "thresholds.py"))


def result(**changed: float) -> Any:  # noqa: ANN401 - JSON
    whole = {"users": 50, "requests": 1_000, "failures": 0, "p95_ms": 80.0, "p99_ms": 90.0}
    return THRESHOLDS["result_of"](**{**whole, **changed})


def test_its_mix_is_the_benchs() -> None:
    assert MIX["PER_MILLE"] == {each.name: each.per_mille for each in list_activities()}


@pytest.mark.parametrize(("users", "must"), [(1, 500), (100, 500), (101, 200), (20_000, 100)])
def test_the_plans_rows_hold_by_users(users: int, must: float) -> None:
    assert THRESHOLDS["must_ms"](users) == must


def test_a_good_run_passes_and_readiness_reads_it() -> None:
    assert THRESHOLDS["failures_of"](result()) == []
    (row,) = read_rows(msgspec.json.encode(result()))
    assert (row.measured, row.is_met) == (80.0, True)


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"p95_ms": 501.0}, "501 ms"), ({"failures": 2}, "2 of 1000"), ({"requests": 0}, "p95")],
)
def test_a_bad_run_fails_and_says_why(changed: dict[str, float], told: str) -> None:
    assert told in " ".join(THRESHOLDS["failures_of"](result(**changed)))
