"""The real shop and a real Chromium, once for the whole run, and visitors to send into it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.visitor import Screen, Visit, Visitor

READY_SECONDS_MAX = 120
STOP_SECONDS_MAX = 60

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # Chromium refuses to sandbox itself for root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def shop_address() -> Iterator[str]:
    """The address of a demo shop of this run's own, started as anyone starts it."""
    # Not below pytest's own folder: root's PostgreSQL runs as an account that cannot enter there.
    folder = Path(tempfile.mkdtemp(prefix="packhouse-browser-"))
    folder.chmod(0o711)
    data, said = folder / "shop", folder / "said"
    command = [sys.executable, "-m", "packhouse", "up", "--data", str(data)]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PACKHOUSE_")}
    with said.open("wb") as output:
        shop = subprocess.Popen(
            [*command, "--port", str(_free_port())],
            cwd=folder,  # no .env of a developer's
            env=kept,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address_when_ready(shop, data / "run.json", said)
    finally:
        if shop.poll() is None:
            shop.send_signal(signal.SIGINT)
        try:
            shop.wait(STOP_SECONDS_MAX)
        finally:
            shop.kill()
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("There is no `chromium` on PATH; Debian has it: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, shop_address: str) -> Iterator[Visit]:
    """Makes visitors; when the test is over, none of them may have met a trouble."""
    visitors: list[Visitor] = []

    def enter(name: str, screen: Screen, **options: bool | str) -> Visitor:
        window: dict[str, Any] = {**screen, **options, "base_url": shop_address}
        context = chromium.new_context(locale="en-GB", timezone_id="Europe/Lisbon", **window)
        visitor = Visitor(name, context)
        visitors.append(visitor)
        return visitor

    yield enter
    troubles = [f"{each.name}: {trouble}" for each in visitors for trouble in each.troubles]
    for visitor in visitors:
        visitor.leave()
    assert troubles == []


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _address_when_ready(shop: subprocess.Popen[bytes], run_file: Path, said: Path) -> str:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if shop.poll() is not None:
            break
        if run_file.exists():
            url: str = msgspec.json.decode(run_file.read_bytes())["url"]
            if _is_ready(url):
                return url
        time.sleep(0.1)
    pytest.fail(f"`packhouse up` did not open the shop. It said:\n{said.read_text()}")


def _is_ready(url: str) -> bool:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
