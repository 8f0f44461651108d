"""``packhouse verify user``: from the log by user keys, and from a downloaded history."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from packhouse.cli import packhouse_commands
from worlds.log_files import log_files, write_files
from worlds.log_forgeries import LIES, forged_files
from worlds.log_history import history_of
from worlds.log_story import Pair, Tree
from worlds.log_world import SmallLog

REVEALED = [Pair(number) for number in (0, 10, 20, 30)]
"""The pairs of one collector, all of which were revealed; one of them never opened a lot."""


@cache
def honest() -> SmallLog:
    return SmallLog()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    story = honest().story
    files = log_files(story.leaves, configs=story.configs, manifests=story.manifests)
    return write_files(tmp_path / "log", files)


def verify_user(*words: str | Path) -> Result:
    return CliRunner().invoke(packhouse_commands, ["verify", "user", *map(str, words)])


def write_history(folder: Path, change: Callable[[Tree], None] = lambda _: None) -> Path:
    history = json.loads(json.dumps(history_of(honest().story, *REVEALED)))
    change(history)
    path = folder / "history.json"
    path.write_text(json.dumps(history, ensure_ascii=False))
    return path


def key_words(pairs: list[Pair]) -> list[str]:
    return [word for pair in pairs for word in ("--user-key", pair.user_key.hex())]


def test_all_of_a_collector_is_drawn_again_from_the_log(mirror: Path) -> None:
    result = verify_user(mirror, *key_words(REVEALED))
    assert result.exit_code == 0, result.output
    assert "under 4 user keys" in result.output
    assert " 0 wait for their seeds." in result.output


def test_a_key_that_the_log_does_not_know_ends_with_1(mirror: Path) -> None:
    assert verify_user(mirror, "--user-key", "00" * 16).exit_code == 1
    assert verify_user(mirror, "--user-key", "abc").exit_code == 2


@pytest.mark.parametrize(
    ("lie", "number"),
    [("an opening dropped", 1), ("a card changed", 1), ("a seed never revealed", 0)],
)
def test_a_lie_about_a_collector_ends_with_1(tmp_path: Path, lie: str, number: int) -> None:
    files, field = forged_files(honest().story, LIES[lie])
    folder = write_files(tmp_path / "forged", iter(files.items()))
    words = key_words([Pair(0), Pair(1), Pair(2)])
    result = verify_user(folder, *words)
    assert (result.exit_code, field in result.output) == (1, True), result.output


def test_a_history_matches_its_log(tmp_path: Path, mirror: Path) -> None:
    result = verify_user(write_history(tmp_path), "--log", mirror)
    assert result.exit_code == 0, result.output
    assert "were drawn again, 0 wait for seeds." in result.output


def test_a_history_can_be_checked_with_configurations_alone(tmp_path: Path, mirror: Path) -> None:
    path = write_history(tmp_path)
    assert verify_user(path).exit_code == 2
    (mirror / "configs").rename(tmp_path / "configs")
    result = verify_user(path)
    assert (result.exit_code, "nothing was left out" in result.output) == (0, True)


def odds_receipts(history: Tree) -> list[Tree]:
    return [each for each in history["receipts"] if each["kind"] == "odds"]


def drop_a_receipt(history: Tree) -> None:
    history["receipts"].remove(odds_receipts(history)[3])


def double_a_receipt(history: Tree) -> None:
    history["receipts"].append(odds_receipts(history)[3])


def hide_a_seed(history: Tree) -> None:
    pair = history["seed_pairs"][0]
    pair.update(server_seed=None, openings=None, revealed_at=None)
    for receipt in history["receipts"]:
        if receipt["proof"]["commitment"] == pair["commitment"]:
            receipt["server_seed"] = None


def change_a_card(history: Tree) -> None:
    odds_receipts(history)[0]["cards"][0]["value"] += 1


def change_a_count(history: Tree) -> None:
    history["seed_pairs"][1]["openings"] += 1


def forget_a_pair(history: Tree) -> None:
    del history["seed_pairs"][2]


def reveal_another_seed(history: Tree) -> None:
    history["seed_pairs"][1]["server_seed"] = "00" * 32


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_a_receipt, "one receipt with each nonce from 0"),
        (double_a_receipt, "one receipt with each nonce from 0"),
        (hide_a_seed, "7 days after the first use"),
        (change_a_card, ".cards[0].value: expected"),
        (change_a_count, "seed_pairs[1].openings"),
        (forget_a_pair, "that of one of the seed pairs"),
        (reveal_another_seed, "seed_pairs[1].server_seed"),
    ],
)
def test_a_false_history_ends_with_1(
    tmp_path: Path, mirror: Path, change: Callable[[Tree], None], words: str
) -> None:
    (mirror / "configs").rename(tmp_path / "configs")
    result = verify_user(write_history(tmp_path, change))
    assert (result.exit_code, words in result.output) == (1, True), result.output


def keep_from_before_the_reveals(history: Tree) -> None:
    for pair in history["seed_pairs"]:
        pair.update(server_seed=None, openings=None, revealed_at=None)
    for receipt in history["receipts"]:
        receipt["server_seed"] = None


def test_a_history_from_before_its_reveals_gets_its_seeds_from_the_log(
    tmp_path: Path, mirror: Path
) -> None:
    path = write_history(tmp_path, keep_from_before_the_reveals)
    result = verify_user(path, "--log", mirror)
    assert result.exit_code == 0, result.output
    assert "were drawn again, 0 wait for seeds." in result.output


def test_a_card_changed_in_a_history_from_before_is_found_all_the_same(
    tmp_path: Path, mirror: Path
) -> None:
    def change(history: Tree) -> None:
        keep_from_before_the_reveals(history)
        change_a_card(history)

    result = verify_user(write_history(tmp_path, change), "--log", mirror)
    assert (result.exit_code, ".cards[0].value: expected" in result.output) == (1, True)


def test_a_receipt_left_out_at_the_end_is_seen_with_the_log(tmp_path: Path, mirror: Path) -> None:
    def drop_a_lots_pack(history: Tree) -> None:
        receipts = history["receipts"]
        receipts.remove(next(each for each in receipts if each["kind"] == "lot"))

    path = write_history(tmp_path, drop_a_lots_pack)
    result = verify_user(path, "--log", mirror)
    assert (result.exit_code, "Mismatch: receipts: " in result.output) == (1, True)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format":"packhouse.history/2"}'])
def test_what_is_no_history_ends_with_1(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.json"
    path.write_bytes(content)
    assert verify_user(path).exit_code == 1


def test_a_log_without_user_keys_ends_with_2(mirror: Path) -> None:
    assert verify_user(mirror).exit_code == 2


def test_any_fields_else_are_no_history(tmp_path: Path) -> None:
    def add(history: Any) -> None:  # noqa: ANN401 - any JSON
        history["seed_pairs"][0]["luck"] = 7

    assert verify_user(write_history(tmp_path, add)).exit_code == 1
