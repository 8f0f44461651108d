"""An audience: many open streams at one server, held by several programs, and when they had what.

Several programs, because one may open only so many files; each has addresses of its own on
loopback, because one address has only so many ports.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from packhouse.bench.listeners import Arrived, Broken, ListenJob, Opened, Said
from packhouse.bench.load import LoadFailed

STREAMS_PER_PROGRAM: Final = 5_000
OPEN_SECONDS_MAX: Final = 120.0
ARRIVE_SECONDS_MAX: Final = 30.0


class Audience:
    """The programs that listen to one server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._programs: list[asyncio.subprocess.Process] = []
        self._readings: list[asyncio.Task[None]] = []
        self._opened = 0
        self._lasts: defaultdict[int, list[float]] = defaultdict(list)
        self._broken: str | None = None
        self._news = asyncio.Condition()

    @property
    def pids(self) -> list[int]:
        """The programs, for whoever wants to know what they cost."""
        return [program.pid for program in self._programs]

    async def open(self, *, path: str, streams: int, network: int) -> None:
        """Open all streams; ``network`` is a number from 0 to 200 that no other audience has."""
        counts = [STREAMS_PER_PROGRAM] * (streams // STREAMS_PER_PROGRAM)
        if streams % STREAMS_PER_PROGRAM:
            counts.append(streams % STREAMS_PER_PROGRAM)
        if len(counts) == 1:
            counts = [streams // 2, streams - streams // 2]
        for number, count in enumerate(counts):
            address = f"127.0.{network}.{number + 1}" if sys.platform == "linux" else "127.0.0.1"
            job = ListenJob(
                port=self._port, path=path, streams=count, address=address, parent=os.getpid()
            )
            await self._start(job)
        await self._until(lambda: self._opened == streams, seconds=OPEN_SECONDS_MAX)

    async def wait_for(self, sequence: int) -> float:
        """When the last stream had a pull, by the monotonic clock. Raises ``LoadFailed``."""
        await self._until(
            lambda: len(self._lasts[sequence]) == len(self._programs), seconds=ARRIVE_SECONDS_MAX
        )
        return max(self._lasts.pop(sequence))

    async def close(self) -> None:
        """End all programs, and their streams with them."""
        for program in self._programs:
            with suppress(ProcessLookupError):
                program.kill()
        for program in self._programs:
            await program.wait()
        await asyncio.gather(*self._readings)

    async def _start(self, job: ListenJob) -> None:
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "packhouse.bench.listeners",
            msgspec.json.encode(job).decode(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._programs.append(program)
        self._readings.append(asyncio.create_task(self._read(program)))

    async def _read(self, program: asyncio.subprocess.Process) -> None:
        assert program.stdout is not None  # noqa: S101 - asked for above
        while line := await program.stdout.readline():
            said = msgspec.json.decode(line, type=Said)
            async with self._news:
                match said:
                    case Opened(streams):
                        self._opened += streams
                    case Arrived(sequence, _, last):
                        self._lasts[sequence].append(last)
                    case Broken(words):
                        self._broken = words
                self._news.notify_all()
        async with self._news:
            self._broken = self._broken or "A program that listens ended."
            self._news.notify_all()

    async def _until(self, is_so: Callable[[], bool], *, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: self._broken is not None or is_so())
        except TimeoutError as error:
            raise LoadFailed(f"The streams did not get there within {seconds:.0f} s.") from error
        if self._broken is not None and not is_so():
            raise LoadFailed(self._broken)


@asynccontextmanager
async def audience(port: int) -> AsyncIterator[Audience]:
    """An audience without streams yet; they are closed at the end."""
    made = Audience(port)
    try:
        yield made
    finally:
        await made.close()
