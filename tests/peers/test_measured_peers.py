"""``packhouse bench peers`` for a second each, with Express and FastAPI for real."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

pytestmark = pytest.mark.peers

RATIOS = {
    "open/express",
    "open/fastapi",
    "vault/express",
    "vault/fastapi",
    "feed/caching_express",
    "feed/express",
    "feed/fastapi",
}


def run_bench(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environ = {key: text for key, text in os.environ.items() if "PACKHOUSE" not in key}
    return subprocess.run(
        [sys.executable, "-m", "packhouse", "bench", "peers", "--quick"],
        cwd=folder,
        env={**environ, "TMPDIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def test_a_quick_run_measures_every_peer_at_every_measure() -> None:
    for program in ("node", "npm", "wrk"):
        assert shutil.which(program), f"{program} is needed here: apt-get install nodejs npm wrk"
    # Not below pytest's own folder: root's PostgreSQL runs as an account that cannot enter there.
    with tempfile.TemporaryDirectory(prefix="packhouse-peers-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        done = run_bench(folder)
        assert done.returncode == 0, done.stderr
        result = msgspec.json.decode(done.stdout)
        told = result["scenarios"]["peers"]
        assert result["is_complete"]
        assert result["ratios"].keys() == RATIOS
        assert [each["errors"] for each in told["measurements"]] == [0] * 13
        assert all(each["requests"] > 0 for each in told["measurements"])
        assert told["open_express_processor_us_per_answer"] > 0
        assert "GET /api/v1/vault: the load came from wrk." in told["notes"]
        assert any("lru-cache" in note for note in told["notes"])
        assert not any("was not measured" in note for note in told["notes"])
        assert list(folder.iterdir()) == []


def test_without_node_the_result_says_that_express_was_not_measured() -> None:
    with tempfile.TemporaryDirectory(prefix="packhouse-peers-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        programs = folder / "programs"
        programs.mkdir()
        # Everything that is needed but Node: what PostgreSQL's start as root asks for among it.
        for path in os.environ["PATH"].split(os.pathsep):
            for program in Path(path).iterdir() if Path(path).is_dir() else ():
                if program.name not in {"node", "nodejs", "npm", "npx"}:
                    link = programs / program.name
                    if not link.is_symlink():
                        link.symlink_to(program)
        done = run_bench(folder, PATH=str(programs))
        assert done.returncode == 0, done.stderr
        result = msgspec.json.decode(done.stdout)
        assert (
            "The peer express was not measured: npm is not installed here."
            in (result["scenarios"]["peers"]["notes"])
        )
        assert result["ratios"].keys() == {name for name in RATIOS if "fastapi" in name}
