"""wrk: what it may send, and how its result is read."""

import msgspec
import pytest

from packhouse.bench.load import LoadPlan
from packhouse.bench.requests import get, post
from packhouse.bench.wrk import may_send, read_summary

PAGES = LoadPlan(requests=[get("/a", token="1"), get("/a", token="2")], clients=2)


def test_pages_of_one_route_are_sent_by_wrk() -> None:
    assert may_send(PAGES)


@pytest.mark.parametrize(
    "plan",
    [
        LoadPlan(requests=[post("/a", {})], clients=2),
        LoadPlan(requests=[get("/a"), get("/b")], clients=2),
        msgspec.structs.replace(PAGES, rate=10.0),
        msgspec.structs.replace(PAGES, is_once=True),
        msgspec.structs.replace(PAGES, expected=frozenset({404})),
    ],
    ids=["a fresh key", "two routes", "an open model", "each once", "expected refusals"],
)
def test_what_wrk_cannot_tell_is_sent_by_our_own_generator(plan: LoadPlan) -> None:
    assert not may_send(plan)


def test_the_line_of_our_script_becomes_a_sample() -> None:
    quantiles = " ".join(["1000"] * 99 + ["9000"])
    sample = read_summary(f"Running 2s test\nbench 200 2000000 40000 3 1 {quantiles}\n", route="r")
    assert sample is not None
    assert (sample.requests, sample.seconds, sample.per_second) == (200, 2.0, 100.0)
    assert sample.routes["r"].statuses == {200: 197, 500: 3}
    assert sum(sample.routes["r"].latencies.values()) == 200
    assert sorted(sample.routes["r"].latencies.values()) == [2, 198]
    assert sample.answer_bytes_each == 200
    assert (sample.errors, sample.broken) == (4, 1)


def test_other_words_are_no_sample() -> None:
    assert read_summary("unable to connect", route="r") is None
