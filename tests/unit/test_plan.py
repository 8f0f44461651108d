"""The plan: what a crowd costs by what was measured, and what carries it."""

import json
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from packhouse.cli import packhouse_commands
from packhouse.plan import (
    Capacity,
    InvalidPrices,
    Prices,
    capacity_of,
    draft_plan,
    read_bench,
    read_prices,
)
from packhouse.plan.capacity import NoMeasurement

SHIPPED = files("packhouse.plan")
NEAR = 1.3
"""A crowd that was left out is foretold within this factor from the others."""


@pytest.fixture(scope="module")
def capacity() -> Capacity:
    return read_bench(SHIPPED.joinpath("measured.json").read_bytes())


@pytest.fixture(scope="module")
def prices() -> Prices:
    return read_prices(SHIPPED.joinpath("prices.toml").read_text())


def test_a_measured_crowd_costs_what_was_measured(capacity: Capacity) -> None:
    for crowd in capacity.crowds:
        found = capacity.cores_at(crowd.requests_per_second, streams=0)
        for part, cores in crowd.cores.items():
            if part != "live":
                assert found[part] == pytest.approx(cores)


@pytest.mark.parametrize("users", [1_000, 10_000])
def test_a_crowd_that_was_left_out_is_foretold(capacity: Capacity, users: int) -> None:
    measured = json.loads(SHIPPED.joinpath("measured.json").read_text())
    rows = measured["scenarios"]["users"]["measurements"]
    left_out = next(row for row in rows if row["clients"] == users and row["errors"] == 0)
    others = [
        crowd
        for crowd in capacity.crowds
        if crowd.requests_per_second != left_out["requests_per_second"]
    ]
    blind = capacity_of(others, stream_cores_per_thousand=capacity.stream_cores_per_thousand)
    told = blind.cores_at(left_out["requests_per_second"], streams=0)
    expected = sum(cores for part, cores in left_out["cores"].items() if part != "live")
    found = sum(told.values())
    # Beyond what was seen the plan says too much rather than too little.
    assert expected / NEAR < found < expected * (NEAR if users == 1_000 else 2)


def test_a_crowd_that_was_turned_away_tells_no_cost() -> None:
    crowd = {"requests": 100, "requests_per_second": 9.0, "errors": 5, "p95_ms": 1.0}
    report = {"scenarios": {"users": {"measurements": [crowd | {"cores": {"web": 1.0}}]}}}
    with pytest.raises(NoMeasurement, match="all answered"):
        read_bench(msgspec.json.encode(report))


@pytest.mark.parametrize("text", [b"", b"[]", b'{"scenarios": {"users": {"measurements": 3}}}'])
def test_what_is_no_report_is_refused(text: bytes) -> None:
    with pytest.raises(NoMeasurement):
        read_bench(text)


@given(rates=st.lists(st.floats(0.01, 1e6), min_size=2, max_size=2).map(sorted))
def test_more_requests_never_cost_less(rates: list[float]) -> None:
    capacity = read_bench(SHIPPED.joinpath("measured.json").read_bytes())
    fewer, more = (capacity.cores_at(rate, streams=0) for rate in rates)
    assert all(fewer[part] <= more[part] * (1 + 1e-9) for part in fewer)


@given(users=st.integers(1, 10_000_000), think=st.floats(0.5, 60))
def test_a_plan_has_room_for_what_it_reckons(users: int, think: float) -> None:
    plan = draft_plan(
        users,
        think_seconds=think,
        capacity=read_bench(SHIPPED.joinpath("measured.json").read_bytes()),
        prices=read_prices(SHIPPED.joinpath("prices.toml").read_text()),
    )
    for machine in plan.machines:
        assert machine.needed_cores <= machine.count * machine.cores
    assert 0 < plan.cost.low <= plan.cost.high
    assert plan.bottleneck.users >= users


@given(users=st.integers(1, 5_000_000))
def test_more_people_never_need_an_earlier_phase(users: int) -> None:
    capacity = read_bench(SHIPPED.joinpath("measured.json").read_bytes())
    prices = read_prices(SHIPPED.joinpath("prices.toml").read_text())
    fewer, more = (
        draft_plan(count, think_seconds=10, capacity=capacity, prices=prices)
        for count in (users, users * 2)
    )
    assert fewer.phase <= more.phase


def test_the_next_bottleneck_is_where_the_next_phase_begins(
    capacity: Capacity, prices: Prices
) -> None:
    plan = draft_plan(100, think_seconds=10, capacity=capacity, prices=prices)
    beyond = draft_plan(
        plan.bottleneck.users * 101 // 100, think_seconds=10, capacity=capacity, prices=prices
    )
    assert (int(plan.phase), int(beyond.phase)) == (1, 2)


def test_the_price_file_begins_with_the_prices_of_the_plan(prices: Prices) -> None:
    assert list(prices.cache) == [10, 50]
    assert list(prices.cdn) == [5, 20]
    assert list(prices.load_balancer) == [20, 100]
    assert list(prices.monitoring) == [10, 50]
    assert list(prices.server) == [100, 500]
    assert list(prices.database) == [200, 1000]
    assert list(prices.advanced_monitoring) == [50, 200]
    assert list(prices.orchestration) == [100, 500]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("cdn = [20, 5]", "smaller one first"),
        ("cdn = [-1, 5]", "cdn"),
        ("cdn = 5", "cdn"),
        ("cdns = [5, 20]", "cdns"),
        ("cdn = [", "price file is wrong"),
    ],
)
def test_a_wrong_price_file_is_refused_with_its_line(change: str, told: str) -> None:
    text = SHIPPED.joinpath("prices.toml").read_text().replace("cdn = [5, 20]", change)
    with pytest.raises(InvalidPrices, match=told):
        read_prices(text)


def test_the_command_prints_json_for_machines() -> None:
    ran = CliRunner().invoke(packhouse_commands, ["plan", "--users", "5000", "--json"])
    told = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert told["phase"]["number"] == 1
    assert told["monthly_cost"]["low"] == sum(line["low"] for line in told["monthly_cost"]["lines"])
    assert told["assumptions"]
    assert told["next_bottleneck"]["users"] > 5000


def test_the_command_takes_prices_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    text = SHIPPED.joinpath("prices.toml").read_text().replace('"USD"', '"EUR"')
    own.write_text(text.replace("[100, 500]", "[0, 0]"))
    arguments = ["plan", "--users", "100", "--json", "--prices", str(own)]
    told = json.loads(CliRunner().invoke(packhouse_commands, arguments).stdout)
    assert told["monthly_cost"]["currency"] == "EUR"
    assert told["monthly_cost"]["lines"][0]["high"] == 0


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    arguments = ["plan", "--users", "100", "--measured", str(tmp_path / "no.json")]
    ran = CliRunner().invoke(packhouse_commands, arguments)
    assert ran.exit_code == 1
    assert "cannot be read" in ran.stderr
