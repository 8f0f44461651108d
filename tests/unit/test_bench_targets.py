"""What a scenario must reach, and what is said of it."""

from packhouse.bench.latencies import Latencies
from packhouse.bench.load import RouteSample, Sample, measurement_of
from packhouse.bench.model import Target
from packhouse.bench.report import target_result
from packhouse.bench.scenarios.users import ROWS, targets_of


def target(measured: float | None) -> Target:
    return Target(name="p99", measured=measured, must=25, aim=10)


def test_a_target_is_met_failed_or_not_measured() -> None:
    assert target_result(target(9)) == "pass, aim met"
    assert target_result(target(25)) == "pass"
    assert target_result(target(25.1)) == "FAIL"
    assert target_result(target(None)) == "not measured"


def test_each_crowd_is_held_against_its_row_of_the_plan_and_its_errors() -> None:
    latencies = Latencies()
    for _ in range(100):
        latencies.record(0.120)
    sample = Sample(seconds=1, routes={"x": RouteSample(latencies.counts(), {200: 100})}, errors=1)
    by_row = {}
    for row in ROWS:
        measurement = measurement_of(row.name, clients=row.users, samples=[sample])
        by_row[row.name] = {
            each.name.split(": ")[1]: each.is_met for each in targets_of(row, measurement, {})
        }
    assert [each["p95 of answers, the plan's range"] for each in by_row.values()] == [
        False, False, True, True,
    ]  # fmt: skip
    assert [each["p95 of queries, the plan's range"] for each in by_row.values()] == [None] * 4
    assert not any(each["errors"] for each in by_row.values())
    assert [each.get("p99 of answers") for each in by_row.values()] == [False, False, None, None]
