"""nginx with the nchan module, when Debian's package is there: the bar for live streams.

It is set up as one would for many streams of one channel: one worker process, as ours is one, and
new subscribers begin with what comes next.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from packhouse.bench.nginx import find_nginx, running_nginx
from packhouse.bench.stage import free_port

MODULE: Final = "ngx_nchan_module.so"
MODULE_FOLDERS: Final = (
    Path("/usr/lib/nginx/modules"),
    Path("/usr/lib64/nginx/modules"),
    Path("/usr/share/nginx/modules"),
    Path("/usr/local/lib/nginx/modules"),
)
LISTEN_PATH: Final = "/listen"
PUBLISH_PATH: Final = "/publish"

_CONFIGURATION: Final = """\
load_module {module};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
worker_rlimit_nofile {files};
{user}
events {{ worker_connections {files}; }}
http {{
    access_log /dev/null;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    nchan_shared_memory_size 128M;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = {publish} {{
            nchan_publisher http;
            nchan_channel_id feed;
            nchan_message_buffer_length 100;
        }}
        location = {listen} {{
            nchan_subscriber eventsource;
            nchan_channel_id feed;
            nchan_subscriber_first_message newest;
            nchan_eventsource_ping_interval {ping_seconds};
        }}
    }}
}}
"""


def find_nchan(folders: Iterable[Path] = MODULE_FOLDERS) -> tuple[str, Path] | None:
    """nginx and the module, wherever the system has them; None when one of them is missing."""
    program = find_nginx()
    module = next((each / MODULE for each in folders if (each / MODULE).exists()), None)
    return None if program is None or module is None else (program, module)


@asynccontextmanager
async def nchan(
    program: str,
    module: Path,
    folder: Path,
    *,
    streams: int,
    ping_seconds: int,
    user: str | None,
) -> AsyncIterator[tuple[int, int]]:
    """Run it in ``folder``, which is made; gives port and process id. Raises ``LoadFailed``."""
    port = free_port()
    configuration = _prepare(
        folder, module, port=port, streams=streams, ping=ping_seconds, user=user
    )
    async with running_nginx(program, folder, configuration, port=port) as pid:
        yield port, pid


def _prepare(
    folder: Path, module: Path, *, port: int, streams: int, ping: int, user: str | None
) -> Path:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            module=module,
            folder=folder,
            files=streams + 1_000,
            port=port,
            publish=PUBLISH_PATH,
            listen=LISTEN_PATH,
            ping_seconds=ping,
            user=f"user {user};" if user else "",
        )
    )
    return configuration
