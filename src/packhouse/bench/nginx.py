"""nginx serving the same bytes from a file, when nginx is installed: the bar for what is public.

It is set up as one would for speed, and it tells of each request in its access log, as the shop
does and as nginx does when it is installed; the lines go nowhere, lest they fill the disk.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from packhouse.bench.load import LoadFailed
from packhouse.bench.stage import free_port

START_SECONDS_MAX: Final = 10.0

_CONFIGURATION: Final = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes {workers};
{user}
events {{ worker_connections 16384; }}
http {{
    access_log /dev/null;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16 inactive=60s;
    open_file_cache_valid 60s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder}/files;
        {headers}
    }}
}}
"""


def find_nginx() -> str | None:
    """The program, wherever the system has it."""
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@asynccontextmanager
async def nginx_with(
    program: str,
    folder: Path,
    *,
    name: str,
    body: bytes,
    headers: Sequence[tuple[str, str]],
    workers: int,
    user: str | None,
) -> AsyncIterator[tuple[int, int]]:
    """Serve ``body`` as the file ``name`` with the same headers; gives port and process id.

    ``folder`` is made. ``user`` runs the workers when we are root. Raises ``LoadFailed``.
    """
    (folder / "files").mkdir(parents=True)
    for path in (folder, folder / "files"):
        path.chmod(0o755)
    (folder / "files" / name).write_bytes(body)
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            workers=workers,
            port=port,
            user=f"user {user};" if user else "",
            headers="\n        ".join(f'add_header {key} "{text}";' for key, text in headers),
        )
    )
    async with running_nginx(program, folder, configuration, port=port) as pid:
        yield port, pid


@asynccontextmanager
async def running_nginx(
    program: str, folder: Path, configuration: Path, *, port: int
) -> AsyncIterator[int]:
    """Run nginx until the block ends; gives its process id. Raises ``LoadFailed``."""
    child = await asyncio.create_subprocess_exec(
        program,
        "-c",
        str(configuration),
        "-p",
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _wait_for(port, folder)
        yield child.pid
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        await child.wait()


async def _wait_for(port: int, folder: Path) -> None:
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return
    except TimeoutError as error:
        log = folder / "error.log"
        words = log.read_text(errors="replace")[-400:] if log.exists() else "no word"
        raise LoadFailed(f"nginx did not start: {words}") from error
