"""Varnish as a real program, with the very file that ``deploy/`` ships."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from worlds.balancers import DEPLOY, Balancer, running_program
from worlds.debian_programs import require_program
from worlds.served_roles import free_port


@asynccontextmanager
async def start_varnish(shop_port: int) -> AsyncIterator[Balancer]:
    """Run Varnish before a server on this machine."""
    port = free_port()
    program = require_program("varnishd", package="varnish")
    with tempfile.TemporaryDirectory(prefix="packhouse-varnish-") as name:
        folder = Path(name)
        _write_folder(folder, shop_port)
        words = [
            program,
            "-F",
            *("-a", f"127.0.0.1:{port}"),
            *("-f", str(folder / "packhouse.vcl")),
            *("-n", str(folder / "work")),
            *("-p", f"vcl_path={folder}"),
            *("-p", "http_gzip_support=off"),
            *("-s", "malloc,32m"),
            *("-T", "none"),
        ]
        async with running_program(words, port, folder, {}) as cache:
            yield cache


def _write_folder(folder: Path, shop_port: int) -> None:
    # Its compiler works as an account that has to come through here.
    folder.chmod(0o755)
    shutil.copy(DEPLOY / "varnish" / "packhouse.vcl", folder)
    (folder / "shop.vcl").write_text(
        f'backend shop {{ .host = "127.0.0.1"; .port = "{shop_port}"; }}\n'
    )
