"""The import contracts hold, and each of them can fail: a pattern that matches nothing would not.

The contracts themselves are in ``pyproject.toml``; ``make check`` runs them too.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

FLOORS = "Imports only go down; rooms on one floor never meet"
PIPES = "Only the plumbing touches PostgreSQL, Valkey and mail servers"
PAGES = "Only the web knows HTTP and HTML"
RULES = "Rules are pure: no I/O, no clock, no chance"
DOORS = "Knock at the door: import the room, never its furniture"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code that a test may spoil."""
    shutil.copytree(
        REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("static", "templates")
    )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_holds(copy: Path) -> None:
    status, report = lint(copy)
    assert status == 0, report
    assert all(f"{name} KEPT" in report for name in (FLOORS, PIPES, PAGES, RULES, DOORS))


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("foundation/money.py", "import packhouse.plumbing.postgres", FLOORS),
        ("plumbing/outbox.py", "import packhouse.feed", FLOORS),
        ("wallet/rules.py", "import packhouse.vault", FLOORS),
        ("vault/store.py", "import packhouse.house", FLOORS),
        ("drawlog/leaves.py", "import packhouse.draws", FLOORS),
        ("flows/open_pack.py", "import packhouse.web.errors", FLOORS),
        ("worker/relay.py", "import packhouse.web.streams", FLOORS),
        ("demo/seed.py", "import packhouse.cli", FLOORS),
        ("verify/drawing.py", "import packhouse.draws", FLOORS),
        ("web/streams.py", "from valkey.exceptions import ValkeyError", PIPES),
        ("flows/top_up.py", "import asyncpg", PIPES),
        ("worker/jobs.py", "import pgqueuer", PIPES),
        ("flows/send_letter.py", "import aiosmtplib", PIPES),
        ("flows/sign_in.py", "from litestar import Request", PAGES),
        ("shipping/slip.py", "import jinja2", PAGES),
        ("wallet/rules.py", "import time", RULES),
        ("draws/decide.py", "import random", RULES),
        ("draws/odds.py", "import packhouse.draws.store", RULES),
        ("drawlog/tree.py", "import packhouse.drawlog.store", RULES),
        ("flows/top_up.py", "import packhouse.wallet.store", DOORS),
        ("web/app.py", "from packhouse.draws.decide import decide", DOORS),
        ("web/log.py", "import packhouse.drawlog.tree", DOORS),
    ],
)
def test_a_contract_that_is_broken_says_so(
    copy: Path, module: str, line: str, contract: str
) -> None:
    path = copy / "src" / "packhouse" / module
    path.write_text(path.read_text() + f"\n{line}\n")
    status, report = lint(copy)
    assert status == 1, report
    assert f"{contract} BROKEN" in report


def test_a_new_folder_needs_a_place(copy: Path) -> None:
    room = copy / "src" / "packhouse" / "attic"
    room.mkdir()
    (room / "__init__.py").write_text('"""A room without a floor."""\n')
    status, report = lint(copy)
    assert status == 1, report
    assert f"{FLOORS} BROKEN" in report
    assert "attic" in report


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
