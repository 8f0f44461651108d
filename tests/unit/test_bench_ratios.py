"""Ratios of the bench: what they are made of, when they count, and how machines read them."""

import msgspec
import pytest

from packhouse.bench.load import RouteSample, Sample, measurement_of, merge_samples
from packhouse.bench.model import Machine, Measurement, Options, Outcome, ratio_of
from packhouse.bench.results import BenchResult, encode_result


def measured(name: str, *rates: float) -> Measurement:
    samples = [
        Sample(seconds=1.0, routes={"GET /": RouteSample({100: int(rate)}, {200: int(rate)})})
        for rate in rates
    ]
    return measurement_of(name, clients=64, samples=samples)


def test_a_ratio_is_of_medians_with_the_spread_of_its_rounds() -> None:
    ratio = ratio_of(
        "open/pgbench",
        measured("packhouse", 100, 300, 200),
        measured("pgbench", 100, 100, 400),
        generator=measured("generator alone", 1000),
    )
    assert (ratio.value, ratio.low, ratio.high) == (2.0, 0.5, 3.0)


@pytest.mark.parametrize(("alone", "is_counted"), [(399, False), (400, True)])
def test_a_ratio_counts_only_when_the_generator_is_twice_as_fast(
    alone: int, *, is_counted: bool
) -> None:
    ratio = ratio_of(
        "feed/nginx",
        measured("packhouse", 100),
        measured("nginx", 200),
        generator=measured("generator alone", alone),
    )
    assert ratio.is_counted is is_counted
    assert ratio.generator_per_second == alone


def test_a_ratio_against_nothing_does_not_count() -> None:
    nothing = measurement_of("pgbench", clients=64, samples=[])
    ratio = ratio_of("x", measured("packhouse", 100), nothing, generator=measured("g", 1000))
    assert (ratio.value, ratio.is_counted) == (0.0, False)


def test_samples_of_one_turn_add_up() -> None:
    one = Sample(seconds=2.0, routes={"a": RouteSample({5: 1}, {200: 1})}, codes={"sold_out": 1})
    two = Sample(seconds=1.0, routes={"a": RouteSample({5: 2}, {409: 2})}, errors=2, broken=1)
    whole = merge_samples([one, two])
    assert whole == Sample(
        seconds=2.0,
        routes={"a": RouteSample({5: 3}, {200: 1, 409: 2})},
        codes={"sold_out": 1},
        errors=2,
        broken=1,
    )
    assert whole.requests == 3


def test_machines_find_scenarios_and_ratios_by_name() -> None:
    ours, theirs = measured("packhouse", 120), measured("pgbench", 100)
    outcome = Outcome(
        name="open",
        measures="Openings.",
        measurements=[ours, theirs],
        ratios=[ratio_of("open/pgbench", ours, theirs, generator=None)],
        figures={"kib_per_stream": 1.3},
    )
    result = BenchResult(
        machine=Machine(cores=2, memory="8 GiB"), options=Options(), outcomes=[outcome]
    )
    read = msgspec.json.decode(encode_result(result))
    told = read["scenarios"]["open"]
    assert told.keys() >= {"clients", "requests_per_second", "p50_ms", "p95_ms", "p99_ms", "errors"}
    assert told["requests_per_second"] == 120
    assert told["kib_per_stream"] == 1.3
    assert [each["name"] for each in told["measurements"]] == ["packhouse", "pgbench"]
    assert read["ratios"] == {"open/pgbench": 1.2}
    assert read["ratios_not_counted"] == ["open/pgbench"]
    assert read["machine"] == {"cores": 2, "memory": "8 GiB"}
