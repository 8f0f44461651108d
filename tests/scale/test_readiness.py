"""``packhouse readiness`` on a shop that runs, as its owner would ask for it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from worlds.served_roles import free_port

pytestmark = [pytest.mark.scale, pytest.mark.xdist_group("readiness")]

PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def shop() -> Iterator[Path]:
    """The data folder of a demo shop that is open."""
    folder = Path(tempfile.mkdtemp(prefix="packhouse-readiness-"))
    folder.chmod(0o711)
    data = folder / "data"
    kept = {name: text for name, text in os.environ.items() if name[:10] != "PACKHOUSE_"}
    with (folder / "said").open("wb") as said:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "packhouse",
                "up",
                *("--port", str(free_port()), "--data", data),
            ],
            cwd=folder,
            env=kept,
            stdout=said,
            stderr=said,
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    # It says where it will be before it is ready.
    while not is_ready(data):
        assert child.poll() is None, (folder / "said").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield data
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) == 0


def is_ready(data: Path) -> bool:
    try:
        url = json.loads((data / "run.json").read_text())["url"]
        return httpx.get(f"{url}/health/ready").status_code == 200
    except (OSError, httpx.TransportError):
        return False


def ask(data: Path, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the lines of the report by name."""
    command = ["readiness", "--json", "--data", str(data), *arguments]
    ran = subprocess.run(
        [sys.executable, "-m", "packhouse", *command],
        cwd=data.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, {line["name"]: line for line in json.loads(ran.stdout)["checks"]}


def test_a_healthy_shop_is_ready(shop: Path) -> None:
    code, lines = ask(shop, "--fail-on", "must")
    failed = {name: line["evidence"] for name, line in lines.items() if line["result"] == "fail"}
    assert (code, {name for name in failed if lines[name]["must"]}) == (0, set()), failed


def test_each_line_has_all_that_the_contract_names(shop: Path) -> None:
    _, lines = ask(shop)
    for line in lines.values():
        assert {"name", "must", "result", "evidence", "advice", "takes"} <= line.keys()
        assert line["evidence"]


def test_a_worker_that_stands_still_makes_it_fail(shop: Path) -> None:
    worker = json.loads((shop / "run.json").read_text())["pids"]["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        code, lines = ask(shop, "--fail-on", "must")
    finally:
        os.kill(worker, signal.SIGCONT)
    assert (code, lines["worker_runs"]["result"]) == (1, "fail")


def test_nobodys_limit_is_used_up_by_it(shop: Path) -> None:
    for _ in range(3):
        _, lines = ask(shop)
        assert lines["rate_limits_refuse"]["result"] == "pass", lines["rate_limits_refuse"]
        assert lines["caching"]["result"] == "pass", lines["caching"]
