"""A PostgreSQL that fails over, of real parts on loopback: etcd, three Patroni nodes, HAProxy.

The configurations are those of ``deploy/patroni``. Patroni and PostgreSQL refuse root, so as root
they run as an account that has no rights, and what they need is put where that can go.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from packhouse.plumbing.embedded.places import Account, choose_account, may_enter
from packhouse.plumbing.embedded.programs import get_postgres_programs
from worlds.debian_programs import require_program
from worlds.served_roles import free_port

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy" / "patroni"
PACKAGES: Final = ROOT / ".venv-scale" / "lib" / "python3.11" / "site-packages"
PASSWORD: Final = "not-a-secret"
PATIENCE_SECONDS: Final = 120


class Node:
    """One Patroni with its PostgreSQL; both die together, as a machine does."""

    def __init__(
        self, name: str, child: asyncio.subprocess.Process, *, port: int, rest: int
    ) -> None:
        self.name = name
        self.child = child
        self.port = port
        self.rest = rest
        self.data: Path

    async def role(self) -> str | None:
        """What its Patroni says that it is; None when it says nothing."""
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                answer = await client.get(f"http://127.0.0.1:{self.rest}/patroni")
        except httpx.TransportError:
            return None
        found = answer.json()
        return str(found["role"]) if found.get("state") == "running" else None

    async def kill(self) -> None:
        """kill -9 of Patroni and of every process of its PostgreSQL."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        self.child.kill()
        os.kill(postmaster, signal.SIGKILL)
        await self.child.wait()


class Cluster:
    """All of it; ``port`` leads to whoever is primary."""

    def __init__(self, nodes: Sequence[Node], port: int) -> None:
        self.nodes = list(nodes)
        self.port = port

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    async def primary(self) -> Node:
        """The node that is primary, once there is one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for node in self.nodes:
                if node.child.returncode is None and await node.role() == "primary":
                    return node
            await asyncio.sleep(0.2)
        raise AssertionError("no node became primary")

    async def until_synchronous(self) -> None:
        """Until a standby has everything that is committed, and may take over."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        async with httpx.AsyncClient(timeout=2) as client:
            while time.monotonic() < deadline:
                primary = await self.primary()
                found = (await client.get(f"http://127.0.0.1:{primary.rest}/cluster")).json()
                if any(member["role"] == "sync_standby" for member in found["members"]):
                    return
                await asyncio.sleep(0.2)
        raise AssertionError("no standby became synchronous")


@asynccontextmanager
async def start_cluster(nodes: int = 3) -> AsyncIterator[Cluster]:
    account = choose_account() if os.geteuid() == 0 else None
    folder = _open_folder()
    try:
        async with AsyncExitStack() as stack:
            hosts = await _start_etcd(stack, folder)
            packages = _packages_for(account, folder)
            started = [
                await _start_node(stack, folder, number, hosts, account, packages)
                for number in range(1, nodes + 1)
            ]
            port = await _start_haproxy(stack, folder, started)
            cluster = Cluster(started, port)
            await cluster.primary()
            await cluster.until_synchronous()
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open_folder() -> Path:
    """A folder that every account may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="packhouse-patroni-"))
    folder.chmod(0o755)
    return folder


async def _start_etcd(stack: AsyncExitStack, folder: Path) -> str:
    client, peer = free_port(), free_port()
    await _start(
        stack,
        [
            require_program("etcd", package="etcd-server"),
            *("--data-dir", str(folder / "etcd"), "--name", "one"),
            *("--listen-client-urls", f"http://127.0.0.1:{client}"),
            *("--advertise-client-urls", f"http://127.0.0.1:{client}"),
            *("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
            *("--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"),
            *("--initial-cluster", f"one=http://127.0.0.1:{peer}"),
            # Its own disk's patience is not what is looked at here.
            "--unsafe-no-fsync",
        ],
        said=folder / "etcd.log",
    )
    return f"127.0.0.1:{client}"


def _packages_for(account: Account | None, folder: Path) -> Path:
    """Where Patroni's packages are in reach of the account."""
    if account is None or may_enter(account, PACKAGES):
        return PACKAGES
    copied = folder / "packages"
    shutil.copytree(PACKAGES, copied)
    return copied


def _python_for(account: Account | None) -> str:
    """An interpreter that the account may run: ours, or Debian's."""
    if account is None or may_enter(account, Path(sys.executable).resolve().parent):
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = shutil.which(version, path="/usr/bin")
    assert found is not None, (
        f"{version} is needed in /usr/bin for Patroni: apt-get install python3"
    )
    return found


async def _start_node(
    stack: AsyncExitStack,
    folder: Path,
    number: int,
    hosts: str,
    account: Account | None,
    packages: Path,
) -> Node:
    port, rest = free_port(), free_port()
    home = folder / f"node{number}"
    home.mkdir(mode=0o700)
    if account is not None:
        os.chown(home, account.uid, account.gid)
    programs = get_postgres_programs(account, fallback_root=folder, announce=lambda _: None)
    # PostgreSQL's own programs and its clients, in one folder as Patroni looks for them.
    binaries = programs.server if (programs.server / "pg_rewind").exists() else programs.clients
    shutil.copy(DEPLOY / "patroni.yml", folder / "patroni.yml")
    (folder / "patroni.yml").chmod(0o644)
    environ = {
        "PATH": f"{binaries}:{os.defpath}",
        "PYTHONPATH": str(packages),
        "HOME": str(home),
        "LC_ALL": "C",
        "PATRONI_NAME": f"postgres{number}",
        "PATRONI_ETCD3_HOSTS": hosts,
        "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:{rest}",
        "PATRONI_RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{rest}",
        "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{port}",
        "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{port}",
        "PATRONI_POSTGRESQL_DATA_DIR": str(home / "data"),
        "PATRONI_POSTGRESQL_BIN_DIR": str(binaries),
        "PATRONI_SUPERUSER_USERNAME": "postgres",
        "PATRONI_SUPERUSER_PASSWORD": PASSWORD,
        "PATRONI_REPLICATION_USERNAME": "replicator",
        "PATRONI_REPLICATION_PASSWORD": PASSWORD,
    }
    child = await _start(
        stack,
        # Of the system's own packages none: they are of other versions.
        [_python_for(account), "-S", "-m", "patroni", str(folder / "patroni.yml")],
        said=folder / f"node{number}.log",
        environ=environ,
        account=account,
        home=home,
    )
    node = Node(f"postgres{number}", child, port=port, rest=rest)
    node.data = home / "data"
    return node


async def _start_haproxy(stack: AsyncExitStack, folder: Path, nodes: Sequence[Node]) -> int:
    port = free_port()
    environ = {"PG_BIND": f"127.0.0.1:{port}", "PG_BIND_REPLICAS": f"127.0.0.1:{free_port()}"}
    for number, node in enumerate(nodes, start=1):
        environ[f"PG_NODE_{number}"] = f"127.0.0.1:{node.port}"
        environ[f"PG_REST_{number}"] = str(node.rest)
    await _start(
        stack,
        [require_program("haproxy", package="haproxy"), "-db", "-f", str(DEPLOY / "haproxy.cfg")],
        said=folder / "haproxy.log",
        environ=environ,
    )
    return port


async def _start(
    stack: AsyncExitStack,
    words: Sequence[str],
    *,
    said: Path,
    environ: dict[str, str] | None = None,
    account: Account | None = None,
    home: Path | None = None,
) -> asyncio.subprocess.Process:
    with said.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            *words,
            env={"PATH": os.environ.get("PATH", os.defpath), **(environ or {})},
            stdout=output,
            stderr=output,
            cwd=home or "/",
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
    stack.push_async_callback(_stop, child)
    return child


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(30):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
