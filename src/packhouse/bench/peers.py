"""Peers: other people's kind of server for the same job, started beside the shop on its database.

They live in the repository's ``bench/peers`` and are no part of the installed product; what a peer
must be is told there in ``README.md``. A peer whose programs are missing, or that cannot be
installed, is left out, with a note.
"""

import asyncio
import base64
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from packhouse.bench.peer_folders import (
    LAST_BYTES,
    PYTHON,
    PeerUnusable,
    command_in,
    end_session,
    made_folder,
)
from packhouse.bench.stage import HOUSE_CONNECTIONS, PACK, Stage, free_port, is_ready
from packhouse.plumbing.embedded.children import read_log

PEERS_FOLDER: Final = Path(__file__).parents[3] / "bench" / "peers"
READY_SECONDS_MAX: Final = 60.0
PREPARE_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 10.0

Command = tuple[str, ...]


class Peer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``peer.json`` says: how it is installed, prepared and started.

    ``prepare`` gives the cookies of collectors, if they are others than the shop's. ``cached_feed``
    is where the feed is answered from a cache, and ``cached_by`` says of which kind.
    """

    name: str
    start: Command
    install: tuple[Command, ...] = ()
    prepare: Command = ()
    environment: dict[str, str] = {}
    cached_feed: str | None = None
    cached_by: str | None = None


class FoundPeer(msgspec.Struct, frozen=True):
    """A peer and its folder in the repository."""

    peer: Peer
    folder: Path


class RunningPeer(msgspec.Struct, frozen=True):
    """A peer that is ready; ``cookies`` are the Cookie headers of the stage's collectors."""

    peer: Peer
    port: int
    pid: int
    cookies: Sequence[str]


def list_peers(folder: Path = PEERS_FOLDER) -> list[FoundPeer]:
    """Every peer below ``folder``, by name; none where the repository is not."""
    return [
        FoundPeer(msgspec.json.decode(path.read_bytes(), type=Peer), path.parent.absolute())
        for path in sorted(folder.glob("*/peer.json"))
    ]


def missing_program(found: FoundPeer) -> str | None:
    """The first program that the peer needs and this machine lacks."""
    commands = (*found.peer.install, found.peer.prepare, found.peer.start)
    programs = [command[0] for command in commands if command]
    # What has a slash is the peer's own, and comes with its installation.
    wanted = [program for program in programs if program != PYTHON and "/" not in program]
    return next((program for program in wanted if shutil.which(program) is None), None)


@asynccontextmanager
async def running_peer(found: FoundPeer, stage: Stage) -> AsyncIterator[RunningPeer]:
    """Install the peer if need be, and run it on the stage's database.

    Raises ``PeerUnusable``.
    """
    peer = found.peer
    missing = missing_program(found)
    if missing is not None:
        raise PeerUnusable(f"{missing} is not installed here.")
    folder = await made_folder(found.folder, name=peer.name, install=peer.install)
    port = free_port()
    environment = {**os.environ, **peer.environment, **peer_environment(stage, port=port)}
    cookies = await _prepare(peer, folder, stage, environment)
    log = stage.folder / f"peer-{peer.name}.log"
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *command_in(folder, peer.start),
            cwd=folder,
            env=environment,
            # A peer ends when the other end of this is gone, however we end.
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        await _wait_until_ready(peer, child, stage.host, port, log)
        yield RunningPeer(peer=peer, port=port, pid=child.pid, cookies=cookies)
    finally:
        await _stop(child)


def peer_environment(stage: Stage, *, port: int) -> Mapping[str, str]:
    """What a peer is told; as many processes and database connections as the shop has."""
    seed_key = stage.settings.seed_key
    if seed_key is None:
        raise PeerUnusable("The stage has no seed key.")
    return {
        "PORT": str(port),
        "DATABASE_URL": stage.servers.database_url,
        "WORKERS": str(stage.settings.http_workers),
        "POOL_SIZE": str(stage.settings.database_pool_size - HOUSE_CONNECTIONS),
        "PACK_SLUG": PACK,
        "SEED_KEY": base64.b64encode(seed_key.reveal()).decode(),
        "SESSION_SECRET": secrets.token_hex(32),
    }


async def _prepare(
    peer: Peer, folder: Path, stage: Stage, environment: Mapping[str, str]
) -> Sequence[str]:
    if not peer.prepare:
        return stage.cookies
    child = await asyncio.create_subprocess_exec(
        *command_in(folder, peer.prepare),
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    told = b"".join(
        msgspec.json.encode({"user_id": each.user_id, "token": each.token}) + b"\n"
        for each in stage.collectors
    )
    try:
        async with asyncio.timeout(PREPARE_SECONDS_MAX):
            out, errors = await child.communicate(told)
    except TimeoutError as error:
        raise PeerUnusable(f"Preparing the peer {peer.name} took too long.") from error
    finally:
        await end_session(child)
    cookies = out.decode(errors="replace").splitlines()
    if child.returncode != 0 or len(cookies) != len(stage.collectors):
        words = errors[-LAST_BYTES:].decode(errors="replace")
        raise PeerUnusable(f"The peer {peer.name} could not be prepared: {words}")
    return cookies


async def _wait_until_ready(
    peer: Peer, child: asyncio.subprocess.Process, host: str, port: int, log: Path
) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS_MAX):
            while not await asyncio.to_thread(is_ready, host, port):
                if child.returncode is not None:
                    break
                await asyncio.sleep(0.1)
            else:
                return
    except TimeoutError:
        pass
    words = read_log(log, since=0)[-LAST_BYTES:]
    raise PeerUnusable(f"The peer {peer.name} did not get ready: {words}")


async def _stop(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await child.wait()
    await end_session(child)
