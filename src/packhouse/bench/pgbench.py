"""pgbench: how fast PostgreSQL itself is with the same statements, prepared, and nothing around it.

It comes with the embedded server, runs one opening (or one page of the vault) per transaction on
the shop's own tables beside the idle shop, and logs each transaction's time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from packhouse.bench.latencies import bucket_of
from packhouse.bench.load import LoadFailed, RouteSample, Sample
from packhouse.bench.stage import Stage
from packhouse.bench.workbench import Contender
from packhouse.plumbing.embedded import get_postgres_clients
from packhouse.plumbing.settings import number_of_cores

_FINE: Final = 200
"""What a transaction counts as, where a request would have its status."""
LEAD_SECONDS: Final = 2.0
LEAD_CLIENTS_PER_SECOND: Final = 32
"""Not counted at the beginning of a turn, a second more for so many clients: each connection first
prepares every statement, and those of an opening take the processor some milliseconds each."""
STARTING_SECONDS_MAX: Final = 60.0
LAST_LINES: Final = 6


class PgbenchRun(msgspec.Struct, frozen=True, kw_only=True):
    """A script with its variables; ``sampling`` is the share of transactions that are timed."""

    name: str
    script: str
    variables: Mapping[str, str]
    clients: int
    sampling: float = 1.0


class Turns:
    """Numbers the turns of one run, so that none makes an id that another has made."""

    def __init__(self) -> None:
        self._turns = 0

    def next_variables(self) -> dict[str, str]:
        """``n`` (milliseconds to count on from) and ``turn`` (three hexadecimal digits)."""
        self._turns += 1
        return {"n": str(int(time.time() * 1000)), "turn": f"{self._turns % 4096:03x}"}


def pgbench_contender(
    stage: Stage,
    run: PgbenchRun,
    *,
    turns: Turns,
    prepare: Callable[[], Awaitable[None]] | None = None,
) -> Contender:
    """pgbench as one who takes turns."""
    return Contender(
        name="pgbench",
        clients=run.clients,
        run=lambda seconds: run_pgbench(stage, run, turns=turns, seconds=seconds),
        prepare=prepare,
    )


async def run_pgbench(stage: Stage, run: PgbenchRun, *, turns: Turns, seconds: float) -> Sample:
    """One turn of at least a second, after ``lead_of`` its clients, which does not count.

    Raises ``LoadFailed`` with pgbench's own words.
    """
    folder = stage.folder / "pgbench"
    folder.mkdir(exist_ok=True)
    script = folder / f"{run.name}.sql"
    script.write_text(run.script, encoding="utf-8")
    variables = {
        **run.variables,
        **turns.next_variables(),
        "users": str(stage.filled.ids_from)[:24],
        "users_each": str(max(1, len(stage.collectors) // run.clients)),
    }
    url = urlsplit(stage.servers.database_url)
    program = await asyncio.create_subprocess_exec(
        get_postgres_clients() / "pgbench",
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={run.clients}",
        f"--jobs={min(run.clients, number_of_cores())}",
        f"--time={round(lead_of(run.clients) + max(1.0, seconds))}",
        f"--file={script}",
        "--log",
        f"--log-prefix={folder / run.name}",
        f"--sampling-rate={run.sampling}",
        *(f"--define={name}={text}" for name, text in variables.items()),
        # The password is in nobody's list of programs.
        urlunsplit(url._replace(netloc=f"{url.username}@{url.netloc.rpartition('@')[2]}")),
        env={
            "PGPASSWORD": unquote(url.password or ""),
            "LC_ALL": "C",
            # As the shop's own connections: the limit must not lose time by planning.
            "PGOPTIONS": "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off",
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(lead_of(run.clients) + seconds + STARTING_SECONDS_MAX):
            out, _ = await program.communicate()
    except TimeoutError as error:
        raise LoadFailed("pgbench did not end in time.") from error
    finally:
        if program.returncode is None:
            with suppress(ProcessLookupError):
                program.kill()
            await program.wait()
    words = out.decode(errors="replace")
    if program.returncode != 0:
        raise LoadFailed(f"pgbench failed: {' / '.join(words.splitlines()[-LAST_LINES:])}")
    return await asyncio.to_thread(
        read_logs, folder, run.name, sampling=run.sampling, seconds=max(1.0, seconds)
    )


def lead_of(clients: int) -> float:
    """How many seconds of a turn do not count."""
    return LEAD_SECONDS + clients / LEAD_CLIENTS_PER_SECOND


def read_logs(folder: Path, prefix: str, *, sampling: float, seconds: float) -> Sample:
    """What pgbench's logs tell of the last ``seconds``; the logs are removed.

    A line has client, transaction, latency in microseconds (or a word about its failure), script,
    and the time of its end in seconds and microseconds. Raises ``LoadFailed`` when nothing ended.
    """
    ended: list[tuple[float, str]] = []
    for log in folder.glob(f"{prefix}.[0-9]*"):
        with log.open(encoding="ascii") as lines:
            for line in lines:
                _, _, latency, _, whole, microseconds, *_ = line.split()
                ended.append((int(whole) + int(microseconds) / 1_000_000, latency))
        log.unlink()
    begun = max((at for at, _ in ended), default=0.0) - seconds
    kept = [(at, latency) for at, latency in ended if at >= begun]
    fine = Counter(bucket_of(int(latency)) for _, latency in kept if latency.isdecimal())
    if not fine:
        raise LoadFailed("pgbench brought no transaction to its end in time.")
    return Sample(
        seconds=max(at for at, _ in kept) - begun,
        routes={"pgbench": RouteSample(dict(fine), {_FINE: round(fine.total() / sampling)})},
        errors=len(kept) - fine.total(),
    )
