"""wrk: what it may send, and how its result is read."""

from pathlib import Path

import msgspec
import pytest

from packhouse.bench.load import LoadFailed, LoadPlan
from packhouse.bench.requests import get, post
from packhouse.bench.wrk import may_send, read_summary, run_wrk

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


async def test_every_built_request_is_handed_to_wrk(tmp_path: Path) -> None:
    program = tmp_path / "wrk"
    quantiles = " ".join(["1000"] * 100)
    program.write_text(
        f'#!/bin/sh\necho "$@" > "$0.told"\necho bench 8 1000000 800 0 0 {quantiles}\n'
    )
    program.chmod(0o755)
    sample = await run_wrk(str(program), tmp_path, PAGES, host="127.0.0.1", port=1234, seconds=0.6)
    told = (tmp_path / "wrk.told").read_text()
    assert "--connections=2 --duration=1s" in told
    assert told.endswith("http://127.0.0.1:1234\n")
    assert str(tmp_path / "wrk.requests") in (tmp_path / "wrk.lua").read_text()
    built = (tmp_path / "wrk.requests").read_bytes()
    assert all(request.before in built for request in PAGES.requests)
    assert len(built) == sum(len(request.before) for request in PAGES.requests)
    assert sample.requests == 8


async def test_a_wrk_without_an_answer_is_a_failure(tmp_path: Path) -> None:
    program = tmp_path / "wrk"
    program.write_text("#!/bin/sh\necho unable to connect\n")
    program.chmod(0o755)
    with pytest.raises(LoadFailed, match="unable to connect"):
        await run_wrk(str(program), tmp_path, PAGES, host="127.0.0.1", port=1, seconds=1)


def test_other_words_are_no_sample() -> None:
    assert read_summary("unable to connect", route="r") is None
