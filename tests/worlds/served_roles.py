"""One role of the shop as a program of its own: ``packhouse serve ROLE`` on the test's servers."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from packhouse.house import House
from packhouse.plumbing.handover import HANDOVER_VARIABLE, write_handover
from packhouse.plumbing.settings import require_setting

PATIENCE_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        free: int = listener.getsockname()[1]
    return free


class Role:
    """The running program."""

    def __init__(self, child: asyncio.subprocess.Process, port: int, said: Path) -> None:
        self.child = child
        self.port = port
        self._said = said

    def said(self) -> str:
        return self._said.read_text()

    def workers(self) -> list[int]:
        """The processes of a web server that answer."""
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        return [int(child) for child in children.read_text().split()]

    async def wait(self) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.child.wait()

    async def stop(self) -> int:
        self.child.send_signal(signal.SIGTERM)
        return await self.wait()


@asynccontextmanager
async def start(
    house: House,
    port: int,
    program: str = "live",
    environment: Mapping[str, str | None] | None = None,
    /,
    **changed: str,
) -> AsyncIterator[Role]:
    """Run a role; ``environment`` wins over what it otherwise gets, and None takes away."""
    settings = house.settings
    environ = {name: text for name, text in os.environ.items() if name[:10] != "PACKHOUSE_"}
    given: dict[str, str | None] = {
        "PACKHOUSE_DATABASE_URL": require_setting(settings.database_url, name="").reveal(),
        "PACKHOUSE_CACHE_URL": require_setting(settings.cache_url, name="").reveal(),
        "PACKHOUSE_LIVE_PORT": str(port),
        **{f"PACKHOUSE_{name.upper()}": text for name, text in changed.items()},
        **(environment or {}),
    }
    environ |= {name: text for name, text in given.items() if text is not None}
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        with said.open("ab") as output:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "packhouse", "serve", program),
                cwd=folder,
                env=environ,
                stdout=output,
                stderr=output,
            )
        try:
            yield Role(child, port, said)
        finally:
            if child.returncode is None:
                child.kill()
            await child.wait()


def demo_payments(folder: Path) -> dict[str, str | None]:
    """The environment of a program that takes demo payments, as those of `packhouse up` do."""
    handover = folder / "handover"
    write_handover(handover, {"embedded": "true", "payment_provider": "demo"})
    return {HANDOVER_VARIABLE: str(handover)}


async def until_ready(role: Role) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient() as client:
        while True:
            assert role.child.returncode is None, role.said()
            try:
                answer = await client.get(f"http://127.0.0.1:{role.port}/health/ready")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                assert answer.status_code == 200
                return


async def until_refused(port: int) -> None:
    """Until nobody listens there any more."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return
            except ConnectionResetError:
                # It is just being closed.
                continue
            writer.close()
            await asyncio.sleep(0.02)
