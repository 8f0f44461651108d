"""``packhouse bench``: measures the shop on embedded servers or on those that settings name."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from packhouse.bench.model import Options
from packhouse.bench.progress import Progress
from packhouse.bench.report import write_report
from packhouse.bench.results import BenchResult, encode_result
from packhouse.bench.run import begin_result, run_bench
from packhouse.bench.scenario import Scenario
from packhouse.bench.scenarios import SCENARIOS
from packhouse.cli.shop import data_directory, is_shop_running, plain_errors
from packhouse.cli.supervisor import StopAsked, stop_signals
from packhouse.plumbing.settings import load_settings

QUICK = Options(rounds=1, seconds=1.0, warm_up_seconds=0.0, collectors=256, is_quick=True)


def bench_command(
    scenario: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"What to measure: {', '.join(SCENARIOS)}; all when not given.",
            show_default=False,
        ),
    ] = None,
    *,
    json: Annotated[
        Path | None,
        typer.Option("--json", help="Write the result there instead of to standard output."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Write report.html and report.json into this folder."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A second each: does it work? The figures tell nothing.")
    ] = False,
    rounds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Rounds in which the contenders take turns.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.5, max=3600, help="How long each turn lasts.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.1, max=600, help="How long `soak` watches the shop's memory."),
    ] = None,
    collectors: Annotated[
        int | None, typer.Option(min=256, max=1_000_000, help="Accounts to fill the shop with.")
    ] = None,
    size: Annotated[
        list[int] | None,
        typer.Option(
            min=1_000,
            max=100_000_000,
            help="User cards of a database of scale; once for each. Ten million take 15 GB.",
        ),
    ] = None,
) -> None:
    """Measure the shop, with durable commits, against PostgreSQL's own limit and other servers.

    It starts PostgreSQL, Valkey and the shop in a temporary folder. With PACKHOUSE_DATABASE_URL it
    uses that server instead, in a database of its own that it drops at the end. Ctrl-C ends it and
    keeps what was measured.
    """
    with plain_errors():
        wanted = [SCENARIOS[name] for name in _known(scenario or list(SCENARIOS))]
        begin = QUICK if quick else Options()
        options = Options(
            rounds=rounds or begin.rounds,
            seconds=seconds or begin.seconds,
            warm_up_seconds=begin.warm_up_seconds,
            collectors=collectors or begin.collectors,
            minutes=minutes or begin.minutes,
            is_quick=quick,
            sizes=tuple(size or ()),
        )
        result = begin_result(options)
        try:
            _run(wanted, into=result)
        finally:
            _tell(result, json=json, report=report)
    if not result.is_complete:
        raise typer.Exit(1)
    _keep(result)


def _run(wanted: Sequence[Scenario], *, into: BenchResult) -> None:
    progress = Progress()
    settings = load_settings(os.environ).settings
    try:
        with stop_signals():
            run_bench(wanted, settings, into=into, progress=progress)
    except StopAsked:
        progress.say("Stopped.")


def _tell(result: BenchResult, *, json: Path | None, report: Path | None) -> None:
    if report is not None:
        write_report(result, report)
    if json is not None:
        json.write_bytes(encode_result(result))
    else:
        typer.echo(encode_result(result).decode(), nl=False)


def _keep(result: BenchResult) -> None:
    """Leave a load test where ``packhouse readiness`` looks for the latest one."""
    has_targets = any(outcome.targets for outcome in result.outcomes if outcome.name == "users")
    if result.options.is_quick or not has_targets:
        return
    loaded = load_settings(os.environ)
    folder = loaded.settings.load_tests_directory
    if loaded.origins["load_tests_directory"] == "default" and is_shop_running(
        data_directory(None)
    ):
        folder = data_directory(None) / folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"bench-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json").write_bytes(encode_result(result))


def _known(names: list[str]) -> list[str]:
    for name in names:
        if name not in SCENARIOS:
            raise typer.BadParameter(
                f"There is no scenario {name!r}; there are {', '.join(SCENARIOS)}.",
                param_hint="SCENARIO",
            )
    return list(dict.fromkeys(names))
