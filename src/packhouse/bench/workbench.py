"""The workbench: what a scenario measures with. Contenders take turns; nothing runs beside them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec

from packhouse.bench.load import LoadPlan, Sample, measurement_of, run_load
from packhouse.bench.model import Measurement, Options, Outcome
from packhouse.bench.stage import Stage
from packhouse.bench.wrk import find_wrk, may_send, run_wrk

HOST = "127.0.0.1"


class Contender(msgspec.Struct, frozen=True):
    """Who takes a turn: ``run`` measures for so many seconds.

    ``prepare`` is awaited before each turn and not timed, such as putting cards into stock.
    """

    name: str
    clients: int
    run: Callable[[float], Awaitable[Sample]]
    prepare: Callable[[], Awaitable[None]] | None = None


class Workbench:
    """One scenario's tools; see ``packhouse.bench.scenarios`` for how they are used."""

    def __init__(
        self,
        *,
        stage: Stage,
        options: Options,
        outcome: Outcome,
        say: Callable[[str], None],
        show: Callable[[str, float], None],
    ) -> None:
        self.stage = stage
        self.options = options
        self._outcome = outcome
        self.say = say
        self._show = show

    async def load(
        self, plan: LoadPlan, *, seconds: float, host: str | None = None, port: int | None = None
    ) -> Sample:
        """Send a plan once, to the shop if nothing else is named; by wrk if it is there and can."""
        host, port = host or self.stage.host, port or self.stage.port
        wrk = find_wrk()
        if wrk is not None and may_send(plan):
            folder = self.stage.folder
            return await run_wrk(wrk, folder, plan, host=host, port=port, seconds=seconds)
        return await run_load(plan, host=host, port=port, seconds=seconds)

    def note_sender(self, plan: LoadPlan) -> None:
        """Let the report say who sends such a plan."""
        sender = "wrk" if find_wrk() and may_send(plan) else "our own generator"
        self._outcome.notes.append(f"{plan.requests[0].route}: the load came from {sender}.")

    def web(
        self,
        plan: LoadPlan,
        *,
        name: str = "packhouse",
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> Contender:
        """The shop under test, sent ``plan``."""
        return Contender(
            name=name,
            clients=plan.clients,
            run=lambda seconds: self.load(plan, seconds=seconds),
            prepare=prepare,
        )

    def server(
        self,
        name: str,
        plan: LoadPlan,
        *,
        port: int,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> Contender:
        """Another server on this machine, sent ``plan``."""
        return Contender(
            name=name,
            clients=plan.clients,
            run=lambda seconds: self.load(plan, seconds=seconds, host=HOST, port=port),
            prepare=prepare,
        )

    async def take_turns(
        self, contenders: Sequence[Contender], *, seconds: float | None = None
    ) -> list[Measurement]:
        """Warm each up, then let them take turns for all rounds; one measurement each, in order.

        Each round begins with another one, so that none always follows the same neighbour.
        """
        lasting = seconds or self.options.seconds
        samples: list[list[Sample]] = [[] for _ in contenders]
        for contender in contenders:
            if self.options.warm_up_seconds:
                await self._turn(contender, self.options.warm_up_seconds, "warming up")
        try:
            for number in range(self.options.rounds):
                for step in range(len(contenders)):
                    which = (number + step) % len(contenders)
                    said = f"round {number + 1} of {self.options.rounds}"
                    samples[which].append(await self._turn(contenders[which], lasting, said))
        except asyncio.CancelledError:
            # Who stops the run keeps the rounds that were played.
            self._outcome.measurements += _measured(contenders, samples)
            raise
        return _measured(contenders, samples)

    async def measure(self, contender: Contender, *, seconds: float | None = None) -> Measurement:
        """One contender alone."""
        (measurement,) = await self.take_turns([contender], seconds=seconds)
        return measurement

    async def generator_alone(self, plan: LoadPlan, *, like: Measurement) -> Measurement:
        """The load generator's ceiling: the same plan against a server that does nothing.

        It answers with as many bytes as the contender of ``like`` did on average.
        """
        closed = msgspec.structs.replace(plan, rate=None, is_once=False)
        async with self.trivial_server(answer_bytes=like.answer_bytes) as port:
            alone = self.server("generator alone", closed, port=port)
            return await self.measure(alone, seconds=min(self.options.seconds, 5.0))

    @asynccontextmanager
    async def trivial_server(self, *, answer_bytes: int) -> AsyncIterator[int]:
        """A server that answers everything with so many fixed bytes; gives its port."""
        server = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "packhouse.bench.trivial",
            str(answer_bytes),
            str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            assert server.stdout is not None  # noqa: S101 - asked for above
            yield int(await server.stdout.readline())
        finally:
            with suppress(ProcessLookupError):
                server.kill()
            await server.wait()

    def show(self, what: str, *, seconds: float | None = None) -> None:
        """Show what is being measured now, and for how long, where progress is shown."""
        self._show(what, seconds or self.options.seconds)

    async def _turn(self, contender: Contender, seconds: float, said: str) -> Sample:
        await self.stage.wait_for_relay()
        if contender.prepare is not None:
            await contender.prepare()
        self.show(f"{contender.name}, {contender.clients} clients, {said}", seconds=seconds)
        sample = await contender.run(seconds)
        self.stage.require_running()
        return sample


def _measured(
    contenders: Sequence[Contender], samples: Sequence[Sequence[Sample]]
) -> list[Measurement]:
    return [
        measurement_of(contender.name, clients=contender.clients, samples=each)
        for contender, each in zip(contenders, samples, strict=True)
        if each
    ]
