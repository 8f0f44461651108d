"""One run of the bench: the stage is set, the scenarios play, and whatever was found is kept."""

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from pathlib import Path

from packhouse.bench.machine import allow_many_connections, read_machine
from packhouse.bench.model import Options, Outcome
from packhouse.bench.progress import Progress
from packhouse.bench.results import BenchResult
from packhouse.bench.scenario import Scenario
from packhouse.bench.servers import Servers, bench_servers
from packhouse.bench.stage import open_stage, temporary_folder
from packhouse.bench.statement_samples import with_durations
from packhouse.bench.statements import list_top_statements, prepare_statements, reset_statements
from packhouse.bench.workbench import Workbench
from packhouse.foundation.errors import InvalidInput, Outage, Refusal
from packhouse.plumbing.embedded.children import STOP_SIGNALS
from packhouse.plumbing.settings import Settings


def begin_result(options: Options) -> BenchResult:
    """An empty result for this machine."""
    return BenchResult(machine=read_machine(), options=options)


def run_bench(
    scenarios: Sequence[Scenario], settings: Settings, *, into: BenchResult, progress: Progress
) -> None:
    """Run scenarios in order, in the main thread, and put ``into`` the result what they find.

    ``settings`` name servers or nothing, and then embedded ones are started. A stop signal ends the
    run; what is there stays. A scenario that fails by a Refusal or an Outage says so in its
    outcome, and the next one plays.
    """
    allow_many_connections()
    with temporary_folder() as folder:
        progress.say("Setting the stage …")
        with bench_servers(folder, settings, announce=progress.say) as servers:

            async def play() -> None:
                await _until_stopped(_play(into, scenarios, servers, folder, progress), progress)

            asyncio.run(play())


async def _play(
    result: BenchResult,
    scenarios: Sequence[Scenario],
    servers: Servers,
    folder: Path,
    progress: Progress,
) -> None:
    options = result.options
    async with open_stage(folder, servers, options, say=progress.say) as stage:
        result.rows_per_second = stage.filled.rows_per_second
        async with stage.house.database.connection() as connection:
            has_statements = await prepare_statements(connection)
        for scenario in scenarios:
            outcome = Outcome(name=scenario.name, measures=scenario.measures)
            result.outcomes.append(outcome)
            workbench = Workbench(
                stage=stage,
                options=options,
                outcome=outcome,
                say=progress.say,
                show=progress.show,
            )
            with progress.scenario(scenario.name):
                await _run_one(scenario, workbench, outcome, has_statements=has_statements)
            progress.tell(outcome)
    result.is_complete = all(outcome.failure is None for outcome in result.outcomes)


async def _run_one(
    scenario: Scenario, workbench: Workbench, outcome: Outcome, *, has_statements: bool
) -> None:
    house = workbench.stage.house
    try:
        await workbench.stage.wait_for_relay()
        if has_statements:
            async with house.database.connection() as connection:
                await reset_statements(connection)
        await scenario.run(workbench, outcome)
    except (Refusal, Outage) as error:
        outcome.failure = _sentence_of(error)
    except asyncio.CancelledError:
        outcome.failure = "Stopped before its end."
        raise
    if has_statements:
        async with house.database.connection() as connection:
            top = await list_top_statements(connection)
        outcome.statements += with_durations(top, outcome.durations)
    else:
        outcome.notes.append("The server does not let us count its statements.")


def _sentence_of(error: Refusal | Outage) -> str:
    details = error.errors if isinstance(error, InvalidInput) else ()
    return " ".join([error.message, *(f"{each.field}: {each.message}" for each in details)])


async def _until_stopped(work: Coroutine[None, None, None], progress: Progress) -> None:
    """Do the work; Ctrl-C and its like end it cleanly, and a second one hurries nobody."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    is_stopped = False

    def stop() -> None:
        nonlocal is_stopped
        if not is_stopped:
            is_stopped = True
            progress.say("Stopping; what was measured is kept …")
            task.cancel()

    before = {each: signal.getsignal(each) for each in STOP_SIGNALS}
    for each in STOP_SIGNALS:
        loop.add_signal_handler(each, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not is_stopped:
            raise
    finally:
        for each in STOP_SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, before[each])
