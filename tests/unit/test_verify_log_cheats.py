"""Five ways for a house to cheat in a log of two thousand openings, each found at its place."""

from functools import cache
from pathlib import Path

import pytest

from packhouse import verify
from packhouse.verify import Audit, LogFiles
from worlds.log_files import log_files, write_files
from worlds.log_forgeries import LIES, forged_files, forked_checkpoint, true_checkpoint
from worlds.log_story import LogStory
from worlds.log_world import busy_story

OPENINGS = 2_000


@cache
def story() -> LogStory:
    return busy_story(OPENINGS)


def files_of(folder: Path) -> LogFiles:
    told = story()
    files = log_files(told.leaves, configs=told.configs, manifests=told.manifests)
    return LogFiles(write_files(folder, files))


def audit(files: LogFiles, *, processes: int = 1) -> Audit:
    key = verify.read_verifier_key(files.read("key").decode())
    checkpoint = verify.read_checkpoint(files.read("checkpoint"), key)
    return verify.audit_log(files, checkpoint, processes=processes)


def test_the_honest_log_is_drawn_again_whole(tmp_path: Path) -> None:
    found = audit(files_of(tmp_path))
    assert (found.mismatches, found.openings, found.waiting) == ([], OPENINGS + 20, 0)
    assert found.redrawn == found.openings


@pytest.mark.parametrize(
    "cheat", ["a number changed", "an opening dropped", "a weight swapped", "a lot reordered"]
)
def test_a_cheat_is_found_at_its_place(tmp_path: Path, cheat: str) -> None:
    changed, field = forged_files(story(), LIES[cheat])
    found = audit(LogFiles(write_files(tmp_path, iter(changed.items()))))
    assert found.mismatches[0].field == field


def test_two_processes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packhouse.verify.audits.BUNDLES_WORTH_A_PROCESS", 1)
    changed, field = forged_files(story(), LIES["a weight swapped"])
    files = LogFiles(write_files(tmp_path, iter(changed.items())))
    both = audit(files, processes=2)
    assert both.mismatches == audit(files).mismatches
    assert both.mismatches[0].field == field


@pytest.mark.parametrize("size", [1, 1_000, 1_024])
def test_a_forked_log_is_found(tmp_path: Path, size: int) -> None:
    files = files_of(tmp_path)
    key = verify.read_verifier_key(files.read("key").decode())
    now = verify.read_checkpoint(files.read("checkpoint"), key)
    for note, expected in [
        (true_checkpoint(story(), size=size), []),
        (forked_checkpoint(story(), size=size), ["seen"]),
    ]:
        seen = verify.read_checkpoint(note, key)
        found = verify.check_extends(files, now, seen, name="seen")
        assert [mismatch.field for mismatch in found] == expected
