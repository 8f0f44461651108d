"""HAProxy and nginx as real programs, with the very configurations that ``deploy/`` ships."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from worlds.debian_programs import require_program
from worlds.served_roles import PATIENCE_SECONDS, free_port

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
BACKENDS: Final = ("web", "api", "live", "admin")
TRUSTED: Final = "127.0.0.1/32"
"""Where the balancers stand, as the shop's settings name them."""

Servers = Mapping[str, Sequence[int]]
"""Ports of servers on this machine by backend; a backend without any has those of ``web``."""


class Balancer:
    """The running program."""

    def __init__(self, child: asyncio.subprocess.Process, port: int, said: Path) -> None:
        self.child = child
        self.port = port
        self._said = said

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self._said.read_text()


@asynccontextmanager
async def start_haproxy(servers: Servers, **changed: str) -> AsyncIterator[Balancer]:
    """Run HAProxy before ``servers``; ``changed`` has more of its environment."""
    port = free_port()
    environ = {
        "LB_BIND": f"127.0.0.1:{port}",
        "LB_CONNECTIONS_MAX": "2000",
        **{
            f"LB_{backend.upper()}_{number}": f"127.0.0.1:{server}"
            for backend in BACKENDS
            for number, server in enumerate(servers.get(backend, servers["web"]), start=1)
        },
        **changed,
    }
    program = require_program("haproxy", package="haproxy")
    words = [program, "-db", "-f", str(DEPLOY / "haproxy" / "haproxy.cfg")]
    with tempfile.TemporaryDirectory() as folder:
        async with running_program(words, port, Path(folder), environ) as balancer:
            yield balancer


@asynccontextmanager
async def start_nginx(servers: Servers) -> AsyncIterator[Balancer]:
    """Run nginx before ``servers``."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="packhouse-nginx-") as name:
        folder = Path(name)
        _write_nginx_folder(folder, port, servers)
        program = require_program("nginx", package="nginx-light")
        words = [program, "-p", name, "-c", "nginx.conf", "-g", "daemon off;"]
        async with running_program(words, port, folder, {}) as balancer:
            yield balancer


def _write_nginx_folder(folder: Path, port: int, servers: Servers) -> None:
    # Root's nginx works as an account that has to come through here.
    folder.chmod(0o711)
    shutil.copy(DEPLOY / "nginx" / "nginx.conf", folder)
    (folder / "listen.conf").write_text(f"listen 127.0.0.1:{port};\n")
    for backend in BACKENDS:
        lines = (
            f"server 127.0.0.1:{server} max_fails=3 fail_timeout=5s;\n"
            for server in servers.get(backend, servers["web"])
        )
        (folder / f"{backend}.conf").write_text("".join(lines))


START: Final = {"haproxy": start_haproxy, "nginx": start_nginx}
"""How each of them is started."""


@asynccontextmanager
async def running_program(
    words: Sequence[str], port: int, folder: Path, environ: Mapping[str, str]
) -> AsyncIterator[Balancer]:
    """Run a program that listens at ``port`` and keeps its files in ``folder``."""
    said = folder / "said"
    with said.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *words,
            env={"PATH": os.environ.get("PATH", os.defpath), **environ},
            stdout=output,
            stderr=output,
        )
    balancer = Balancer(child, port, said)
    try:
        await _until_it_answers(balancer)
        yield balancer
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()


async def _until_it_answers(balancer: Balancer) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient() as client:
        while True:
            assert balancer.child.returncode is None, balancer.said()
            try:
                answer = await client.get(f"{balancer.url}/health/live")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                if answer.status_code in (200, 308):
                    return
                await asyncio.sleep(0.05)
