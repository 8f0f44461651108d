"""pgbench's logs become a sample: without its beginning, and with what was not sampled."""

from pathlib import Path

import pytest

from packhouse.bench.latencies import Latencies
from packhouse.bench.load import LoadFailed
from packhouse.bench.pgbench import Turns, lead_of, read_logs

BEGUN = 1_700_000_000
LASTING = 2.0


def write_log(folder: Path, name: str, *ends: tuple[float, str]) -> Path:
    path = folder / name
    lines = (
        f"0 {number} {latency} 0 {int(BEGUN + at)} {round(at % 1 * 1_000_000)}\n"
        for number, (at, latency) in enumerate(ends)
    )
    path.write_text("".join(lines))
    return path


def test_the_beginning_of_a_turn_does_not_count(tmp_path: Path) -> None:
    log = write_log(
        tmp_path,
        "opening.77",
        (0.0, "90000"),
        (1.5, "80000"),
        (3.0, "1000"),
        (4.0, "3000"),
    )
    write_log(tmp_path, "opening.77.1", (3.5, "2000"))
    sample = read_logs(tmp_path, "opening", sampling=1.0, seconds=LASTING)
    latencies = Latencies(sample.routes["pgbench"].latencies)
    assert (sample.requests, sample.seconds) == (3, LASTING)
    assert 2.99 < latencies.percentile_ms(100) < 3.01
    assert not log.exists()


def test_more_clients_have_longer_to_prepare_their_statements() -> None:
    assert lead_of(256) - lead_of(1) > 7


def test_transactions_that_were_not_timed_count_too(tmp_path: Path) -> None:
    write_log(tmp_path, "vault.5", (0.0, "10"), *((3.0, "100") for _ in range(7)))
    assert read_logs(tmp_path, "vault", sampling=0.1, seconds=LASTING).requests == 70


def test_a_failed_transaction_is_an_error(tmp_path: Path) -> None:
    write_log(tmp_path, "opening.1", (0.0, "10"), (3.0, "100"), (3.5, "failed"))
    assert read_logs(tmp_path, "opening", sampling=1.0, seconds=LASTING).errors == 1


def test_a_turn_without_an_end_is_said(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed):
        read_logs(tmp_path, "opening", sampling=1.0, seconds=LASTING)


def test_no_two_turns_make_the_same_ids() -> None:
    turns = Turns()
    assert turns.next_variables()["turn"] != turns.next_variables()["turn"]
