"""Where peers are installed: a cache outside the repository, a folder for each state of a peer.

A peer's files (its folder is flat) are copied there and installed on the spot, once: the folder is
named by the hash of what it was made from, so a changed peer is installed anew. Two runs at a time
wait for each other, and what a killed one left half done is begun again.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from packhouse.foundation.errors import Outage

INSTALL_SECONDS_MAX: Final = 300.0
LAST_BYTES: Final = 600
PYTHON: Final = "{python}"
"""Stands in a peer's commands for the interpreter that runs the bench."""
_INSTALLED: Final = ".installed"
_LOCK_PAUSE_SECONDS: Final = 0.2


class PeerUnusable(Outage):
    """A peer could not be installed or started; the message has its last words."""

    code = "bench_peer_unusable"


def cache_folder() -> Path:
    """Where the user keeps what can be made again (XDG Base Directory Specification)."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "packhouse" / "peers"


async def made_folder(source: Path, *, name: str, install: Sequence[Sequence[str]]) -> Path:
    """The peer's own folder in the cache, installed. Raises ``PeerUnusable``."""
    files, folder = await asyncio.to_thread(_find_place, source, name)
    installed = folder / _INSTALLED
    async with _alone(folder.with_suffix(".lock")):
        if not await asyncio.to_thread(installed.exists):
            await asyncio.to_thread(_copy, files, folder)
            for command in install:
                await _run(name, folder, command)
            await asyncio.to_thread(installed.touch)
    return folder


def command_in(folder: Path, command: Sequence[str]) -> list[str]:
    """The command with its program found: the folder's own comes before one of the system."""
    program, *arguments = command
    own = folder / program
    if program == PYTHON:
        program = sys.executable
    elif own.exists():
        program = str(own)
    return [program, *arguments]


async def end_session(child: asyncio.subprocess.Process) -> None:
    """Kill a child that has a session of its own, with all that is left of it."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()


def fingerprint(files: Sequence[Path]) -> str:
    """Twelve characters that change with any of the files, or with the Python that runs us."""
    digest = hashlib.sha256(sys.version.encode())
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


@asynccontextmanager
async def _alone(lock: Path) -> AsyncIterator[None]:
    file: TextIO = await asyncio.to_thread(lock.open, "w")
    with file:
        # The lock goes with its holder, however that one ends; who waits can still be stopped.
        while not _is_locked(file):  # noqa: ASYNC110 - another run holds it
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
        yield


def _is_locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find_place(source: Path, name: str) -> tuple[list[Path], Path]:
    files = sorted(path for path in source.iterdir() if path.is_file())
    folder = cache_folder() / f"{name}-{fingerprint(files)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    return files, folder


def _copy(files: Sequence[Path], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in files:
        shutil.copy2(path, folder)


async def _run(name: str, folder: Path, command: Sequence[str]) -> None:
    child = await asyncio.create_subprocess_exec(
        *command_in(folder, command),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(INSTALL_SECONDS_MAX):
            out, _ = await child.communicate()
    except TimeoutError as error:
        raise PeerUnusable(f"Installing the peer {name} took too long.") from error
    finally:
        await end_session(child)
    if child.returncode != 0:
        words = out[-LAST_BYTES:].decode(errors="replace")
        raise PeerUnusable(f"The peer {name} could not be installed: {words}")
