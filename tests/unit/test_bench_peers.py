"""The registry of peers: who they are, what they need, and where they are installed."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from packhouse.bench.peer_folders import (
    PeerUnusable,
    cache_folder,
    command_in,
    fingerprint,
    made_folder,
)
from packhouse.bench.peers import PEERS_FOLDER, list_peers, missing_program
from packhouse.bench.scenarios.peers import TARGETS

PEERS = {found.peer.name: found for found in list_peers()}


def write_peer(folder: Path, words: str) -> Path:
    own = folder / "plain"
    own.mkdir()
    (own / "peer.json").write_text(words)
    return own


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_repository_has_the_peers_that_targets_are_set_for() -> None:
    assert {name.partition("/")[2] for name in TARGETS} == PEERS.keys() == {"express", "fastapi"}


def test_peers_are_found_by_what_they_say_of_themselves(tmp_path: Path) -> None:
    own = write_peer(
        tmp_path, '{"name": "plain", "start": ["node", "server.js"], "install": [["npm", "ci"]]}'
    )
    (found,) = list_peers(tmp_path)
    assert (found.peer.name, found.folder) == ("plain", own)
    assert list_peers(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ('{"name": "p", "start": ["no-such-program"]}', "no-such-program"),
        ('{"name": "p", "start": ["sh"], "install": [["no-npm", "ci"]]}', "no-npm"),
        ('{"name": "p", "start": ["sh"], "prepare": ["no-node"]}', "no-node"),
        ('{"name": "p", "start": [".venv/bin/python"], "install": [["{python}"]]}', None),
    ],
)
def test_the_program_that_a_peer_lacks_is_named(
    tmp_path: Path, words: str, missing: str | None
) -> None:
    write_peer(tmp_path, words)
    (found,) = list_peers(tmp_path)
    assert missing_program(found) == missing


def test_what_express_needs_is_pinned_by_hashes_without_addresses() -> None:
    lock = json.loads((PEERS["express"].folder / "package-lock.json").read_text())
    package = json.loads((PEERS["express"].folder / "package.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())
    assert package["dependencies"] == lock["packages"][""]["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", each) for each in package["dependencies"].values())


def test_what_fastapi_needs_is_pinned_by_hashes_without_addresses() -> None:
    pinned = (PEERS["fastapi"].folder / "requirements.txt").read_text()
    names = re.findall(r"^[a-z]\S*==\S+.*\\$", pinned, flags=re.MULTILINE)
    entries = re.findall(
        r"^[a-z]\S*.*\n(?:    --hash=sha256:[0-9a-f]{64}.*\n)+", pinned, re.MULTILINE
    )
    assert len(names) == len(entries) > 5
    assert "://" not in pinned


async def test_a_peer_is_installed_once_and_outside_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = write_peer(tmp_path, '{"name": "plain", "start": ["sh"]}')
    count = ("sh", "-c", "echo once >> made")
    folder = await made_folder(own, name="plain", install=[count])
    assert folder.is_relative_to(tmp_path / "cache")
    assert await made_folder(own, name="plain", install=[count]) == folder
    assert (folder / "made").read_text() == "once\n"
    assert [path.name for path in own.iterdir()] == ["peer.json"]


async def test_two_runs_at_once_install_a_peer_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = write_peer(tmp_path, '{"name": "plain", "start": ["sh"]}')
    count = ("sh", "-c", "sleep 0.3; echo once >> made")
    one, two = await asyncio.gather(
        *(made_folder(own, name="plain", install=[count]) for _ in range(2))
    )
    assert one == two
    assert (one / "made").read_text() == "once\n"


async def test_an_installation_that_is_stopped_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = write_peer(tmp_path, '{"name": "plain", "start": ["sh"]}')
    told = tmp_path / "pid"
    # The shell has a child of its own, as npm has.
    command = ("sh", "-c", f"sleep 600 & echo $! > {told}.new; mv {told}.new {told}; wait")
    task = asyncio.create_task(made_folder(own, name="plain", install=[command]))
    while not told.exists():  # noqa: ASYNC110 - another program makes it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while is_running(int(told.read_text())):  # noqa: ASYNC110 - it is just being killed
        await asyncio.sleep(0.01)


async def test_a_peer_that_changed_is_installed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = write_peer(tmp_path, '{"name": "plain", "start": ["sh"]}')
    before = await made_folder(own, name="plain", install=[])
    (own / "server.js").write_text("// new")
    after = await made_folder(own, name="plain", install=[])
    assert after != before
    assert (after / "server.js").read_text() == "// new"


async def test_an_installation_that_failed_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = write_peer(tmp_path, '{"name": "plain", "start": ["sh"]}')
    with pytest.raises(PeerUnusable, match="no such package"):
        await made_folder(
            own, name="plain", install=[("sh", "-c", "touch half; echo no such package; exit 1")]
        )
    folder = await made_folder(own, name="plain", install=[("sh", "-c", "test ! -e half")])
    assert not (folder / "half").exists()


def test_the_cache_is_where_the_user_keeps_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path.home() / ".cache" / "packhouse" / "peers"
    assert not cache_folder().is_relative_to(PEERS_FOLDER.parents[1])


def test_a_folders_fingerprint_tells_names_and_contents_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    assert len({fingerprint([one]), fingerprint([two]), fingerprint([one, two])}) == 3


def test_a_command_is_of_the_folder_before_it_is_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "node").touch()
    assert command_in(tmp_path, ["node", "a.js"]) == [str(tmp_path / "node"), "a.js"]
    assert command_in(tmp_path, ["sh", "-c"]) == ["sh", "-c"]
    assert command_in(tmp_path, ["{python}", "-V"]) == [sys.executable, "-V"]
