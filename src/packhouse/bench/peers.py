"""Peers: other people's kind of server for the same job, started beside the shop on its database.

They live in the repository's ``bench/peers`` and are no part of the installed product; what a peer
must be is told there in ``README.md``. A peer whose programs are missing is left out, with a note.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from packhouse.bench.stage import HOUSE_CONNECTIONS, PACK, Stage, free_port, is_ready
from packhouse.foundation.errors import Outage
from packhouse.plumbing.embedded.children import read_log

PEERS_FOLDER: Final = Path("bench") / "peers"
INSTALL_SECONDS_MAX: Final = 300.0
READY_SECONDS_MAX: Final = 60.0
LAST_BYTES: Final = 600


class PeerUnusable(Outage):
    """A peer could not be installed or started; the message has its last words."""

    code = "bench_peer_unusable"


class Peer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``peer.json`` says; ``installed`` is a file or folder that installing leaves behind."""

    name: str
    start: tuple[str, ...]
    install: tuple[str, ...] = ()
    installed: str | None = None


class FoundPeer(msgspec.Struct, frozen=True):
    """A peer and its folder."""

    peer: Peer
    folder: Path


def list_peers(folder: Path = PEERS_FOLDER) -> list[FoundPeer]:
    """Every peer below ``folder``, by name; none where the repository is not."""
    return [
        FoundPeer(msgspec.json.decode(path.read_bytes(), type=Peer), path.parent.absolute())
        for path in sorted(folder.glob("*/peer.json"))
    ]


def missing_program(found: FoundPeer) -> str | None:
    """The first program that the peer needs and this machine lacks."""
    for command in (found.peer.install, found.peer.start):
        if command and not (found.folder / command[0]).exists() and not shutil.which(command[0]):
            return command[0]
    return None


@asynccontextmanager
async def running_peer(found: FoundPeer, stage: Stage) -> AsyncIterator[int]:
    """Install the peer if need be, start it on the stage's database; gives its port.

    Raises ``PeerUnusable``.
    """
    await _install(found)
    port = free_port()
    log = stage.folder / f"peer-{found.peer.name}.log"
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *_command(found, found.peer.start),
            cwd=found.folder,
            env={**os.environ, **peer_environment(stage, port=port)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        await _wait_until_ready(found, child, stage.host, port, log)
        yield port
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(10):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


def peer_environment(stage: Stage, *, port: int) -> Mapping[str, str]:
    """What a peer is told; as many processes and database connections as the shop has."""
    return {
        "PORT": str(port),
        "DATABASE_URL": stage.servers.database_url,
        "WORKERS": str(stage.settings.http_workers),
        "POOL_SIZE": str(stage.settings.database_pool_size - HOUSE_CONNECTIONS),
        "PACK_SLUG": PACK,
    }


async def _install(found: FoundPeer) -> None:
    peer = found.peer
    if not peer.install or (peer.installed and (found.folder / peer.installed).exists()):
        return
    child = await asyncio.create_subprocess_exec(
        *_command(found, peer.install),
        cwd=found.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(INSTALL_SECONDS_MAX):
            out, _ = await child.communicate()
    except TimeoutError as error:
        raise PeerUnusable(f"Installing the peer {peer.name} took too long.") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        words = out[-LAST_BYTES:].decode(errors="replace")
        raise PeerUnusable(f"The peer {peer.name} could not be installed: {words}")


def _command(found: FoundPeer, command: tuple[str, ...]) -> tuple[str, ...]:
    own = found.folder / command[0]
    return (str(own), *command[1:]) if own.exists() else command


async def _wait_until_ready(
    found: FoundPeer, child: asyncio.subprocess.Process, host: str, port: int, log: Path
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
    raise PeerUnusable(f"The peer {found.peer.name} did not get ready: {words}")
