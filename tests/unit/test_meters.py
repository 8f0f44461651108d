"""Meters: what is counted, in how many series at most, and how several processes are one text."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkContext, SpawnContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

import pytest
from prometheus_client.parser import text_string_to_metric_families

from packhouse.plumbing.meter_memory import (
    CELLS_MAX,
    ENTRIES_MAX,
    TEXT_BYTES_MAX,
    MeterMemory,
    make_meter_memory,
)
from packhouse.plumbing.meter_text import metrics_text
from packhouse.plumbing.meters import Counter, Gauge, Histogram, Tally
from packhouse.plumbing.metrics import FAMILIES, SERIES_MAX


def tally_of(memory: MeterMemory, role: str) -> Tally:
    tally = Tally()
    slot = memory.claim(role=role)
    assert slot is not None
    tally.slot = slot
    return tally


class Shop:
    """What one process counts, with a memory for more of them."""

    def __init__(self, memory: MeterMemory, role: str = "web") -> None:
        self.memory = memory
        tally = tally_of(memory, role)
        self.openings = Counter("openings_total", "Opened.", {"kind": ("odds", "lot")}, tally=tally)
        self.packs = Counter("packs_total", "Opened.", {"pack": 3}, tally=tally)
        self.seconds = Histogram("wait_seconds", "Waited.", bounds=(0.5, 1.0), tally=tally)
        self.streams = Gauge("streams", "Open.", across="sum", tally=tally)
        self.oldest = Gauge("age_seconds", "Oldest.", across="max", tally=tally)
        self.lag = Gauge("lag_seconds", "Lag.", across="each", tally=tally)
        self.stock = Gauge("stock", "Left.", {"pack": 3}, across="max", tally=tally)
        self.families = (
            *(self.openings, self.packs, self.seconds),
            *(self.streams, self.oldest, self.lag, self.stock),
        )

    def values(self) -> dict[str, float]:
        """Every sample that a scrape would read, by its name and labels."""
        text = metrics_text(self.families, self.memory.read())
        return {
            sample.name
            + "".join(f" {key}={sample.labels[key]}" for key in sorted(sample.labels)): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
def shop() -> Iterator[Shop]:
    memory = make_meter_memory()
    yield Shop(memory)
    os.close(memory.descriptor)


Start = Callable[[Callable[..., None]], BaseProcess]


@pytest.fixture
def start(shop: Shop) -> Iterator[Start]:
    """Starts another process of the shop, and gives it once it has counted."""
    started: list[BaseProcess] = []

    def start_one(work: Callable[..., None]) -> BaseProcess:
        context: ForkContext = multiprocessing.get_context("fork")
        has_counted = context.Event()
        process = context.Process(target=work, args=(shop.memory, has_counted))
        process.start()
        started.append(process)
        assert has_counted.wait(30)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.join()


def count_and_stay(memory: MeterMemory, has_counted: Event) -> None:
    other = Shop(memory)
    other.openings.of("lot").add(2)
    other.seconds.of().observe(0.7)
    other.streams.of().set(5)
    other.oldest.of().set(9)
    other.lag.of().set(0.25)
    has_counted.set()
    signal.pause()


def test_what_happens_is_counted(shop: Shop) -> None:
    shop.openings.of("lot").add()
    shop.openings.of("lot").add(3)
    assert shop.values() == {"openings_total kind=lot": 4}


def test_a_histogram_counts_what_is_within_each_bound(shop: Shop) -> None:
    for seconds in (0.25, 0.5, 0.75, 8):
        shop.seconds.of().observe(seconds)
    assert shop.values() == {
        "wait_seconds_bucket le=0.5": 2,
        "wait_seconds_bucket le=1": 3,
        "wait_seconds_bucket le=+Inf": 4,
        "wait_seconds_sum": 9.5,
        "wait_seconds_count": 4,
    }


def test_a_gauge_that_was_never_set_is_not_told(shop: Shop) -> None:
    gauge = shop.streams.of()
    assert shop.values() == {}
    gauge.set(0)
    assert shop.values() == {"streams": 0}
    gauge.unset()
    assert shop.values() == {}


def test_a_value_that_was_not_declared_is_counted_as_other(shop: Shop) -> None:
    shop.openings.of("raffle").add()
    shop.openings.of("").add()
    assert shop.values() == {"openings_total kind=other": 2}


def test_of_open_values_only_so_many_have_a_series_of_their_own(shop: Shop) -> None:
    for number in range(1000):
        shop.packs.of(f"pack-{number}").add()
    shop.packs.of("pack-1").add()
    assert shop.values() == {
        "packs_total pack=pack-0": 1,
        "packs_total pack=pack-1": 2,
        "packs_total pack=pack-2": 1,
        "packs_total pack=other": 997,
    }


def test_no_more_series_than_the_bound_are_kept_whatever_labels_come(shop: Shop) -> None:
    tally = Tally()
    family = Counter("calls_total", "Calls.", {"a": 50, "b": 50}, series_max=20, tally=tally)
    for number in range(60):
        family.of(str(number), str(number % 7)).add()
    assert len(tally.slot.entries()) == family.series_max == 20
    assert sum(entry.values[0] for entry in tally.slot.entries()) == 60


def test_every_declared_value_has_its_series_even_when_others_came_first(shop: Shop) -> None:
    for kind in ("raffle", "odds", "lot"):
        shop.openings.of(kind).add()
    assert len(shop.values()) == 3


def test_a_value_too_long_for_its_place_is_cut(shop: Shop) -> None:
    shop.packs.of("é" * 500).add()
    (name,) = shop.values()
    assert len(name.encode()) < TEXT_BYTES_MAX + 20


def test_a_value_with_quotes_and_line_ends_arrives_as_it_was(shop: Shop) -> None:
    shop.packs.of('a "b"\n\\c').add()
    assert shop.values() == {'packs_total pack=a "b"\n\\c': 1}


def test_what_is_replaced_is_told_no_more_and_its_place_is_used_again(shop: Shop) -> None:
    for number in range(ENTRIES_MAX * 2):
        shop.stock.replace({(f"pack-{number}",): number, ("always",): 1})
    last = ENTRIES_MAX * 2 - 1
    assert shop.values() == {f"stock pack=pack-{last}": last, "stock pack=always": 1}


def test_several_processes_are_counted_once_each(shop: Shop, start: Start) -> None:
    start(count_and_stay)
    start(count_and_stay)
    shop.openings.of("lot").add(10)
    shop.streams.of().set(1)
    shop.oldest.of().set(3)
    shop.lag.of().set(0.5)
    values = shop.values()
    assert values["openings_total kind=lot"] == 14
    assert values["wait_seconds_count"] == 2
    assert values["streams"] == 11
    assert values["age_seconds"] == 9
    assert [values[f"lag_seconds place={place} role=web"] for place in (0, 1, 2)] == [
        *(0.5, 0.25, 0.25)
    ]


def test_who_is_killed_has_counted_all_the_same_and_is_nothing_now(
    shop: Shop, start: Start
) -> None:
    process = start(count_and_stay)
    process.kill()
    process.join()
    values = shop.values()
    assert values["openings_total kind=lot"] == 2
    assert values["wait_seconds_sum"] == 0.7
    assert not {"streams", "age_seconds"} & set(values)


def test_who_takes_the_place_of_a_dead_one_goes_on_counting(shop: Shop, start: Start) -> None:
    for deaths in range(1, 5):
        process = start(count_and_stay)
        values = shop.values()
        assert values["openings_total kind=lot"] == 2 * deaths
        assert values["streams"] == 5
        assert values["lag_seconds place=1 role=web"] == 0.25
        process.kill()
        process.join()
    assert len(shop.memory.read()) == 2


def test_a_place_is_only_for_those_of_its_role(shop: Shop, start: Start) -> None:
    process = start(count_and_stay)
    process.kill()
    process.join()
    tally_of(MeterMemory(shop.memory.descriptor), "worker")
    assert [(reading.role, reading.place) for reading in shop.memory.read()] == [
        *(("web", 0), ("web", 1), ("worker", 0))
    ]


def test_a_process_that_is_not_forked_counts_in_the_same_memory(shop: Shop) -> None:
    context: SpawnContext = multiprocessing.get_context("spawn")
    process = context.Process(target=_count_and_end, args=(shop.memory,))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert shop.values() == {"openings_total kind=odds": 1}


def _count_and_end(memory: MeterMemory) -> None:
    Shop(memory).openings.of("odds").add()


def test_all_that_is_declared_has_room() -> None:
    assert SERIES_MAX <= ENTRIES_MAX
    assert sum(family.series_max * family.cells for family in FAMILIES) <= CELLS_MAX


def test_names_say_whose_they_are_and_what_they_count() -> None:
    for family in FAMILIES:
        assert family.name.startswith("packhouse_")
        assert family.name.endswith("_total") == isinstance(family, Counter), family.name
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
