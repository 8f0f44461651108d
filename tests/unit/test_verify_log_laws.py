"""What the laws let through: facts whose leaves crossed, and lots that are listed again."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from packhouse import verify
from packhouse.verify import Differs, LogFiles, Mismatch
from worlds.four_packs import FINITE_LOT
from worlds.log_files import log_files, write_files
from worlds.log_story import BEGUN_AT, LogStory, moment
from worlds.log_world import EIGHT, PHYSICAL, lot_of

MISSING = 7
"""A card whose copies cross with openings here."""


def audit(folder: Path, story: LogStory) -> list[Mismatch]:
    files = LogFiles(
        write_files(
            folder, log_files(story.leaves, configs=story.configs, manifests=story.manifests)
        )
    )
    key = verify.read_verifier_key(files.read("key").decode())
    return verify.audit_log(files, verify.read_checkpoint(files.read("checkpoint"), key)).mismatches


def scarce_story(before: Callable[[LogStory], None]) -> tuple[LogStory, int]:
    """Packs until one holds card 7, of which there is no copy; gives that leaf's position.

    ``before`` is what happens before the packs.
    """
    story = LogStory()
    eight = story.publish(EIGHT)
    story.add_stock(**{f"c{number}": 90 for number in PHYSICAL if number != MISSING})
    pair = story.commit(0)
    before(story)
    while '"paid_out":[]' in story.leaves[-1].decode() or b"pack.opened" not in story.leaves[-1]:
        story.wait(seconds=120)
        position = len(story.leaves)
        story.open_pack(pair, eight, f"pack {position}")
        if b"stock.exhausted" in story.leaves[-1]:
            return story, position
    raise AssertionError("no pack without a copy")


def nothing(story: LogStory) -> None:
    """Nothing happens."""


def add_late(story: LogStory, *, position: int, seconds: int) -> None:
    """The leaf says that a copy came on sale so many seconds before the opening's."""
    at = msgspec.json.decode(story.leaves[position])["at"]
    story.at = msgspec.convert(at, type(BEGUN_AT)) - timedelta(seconds=seconds)
    leaf = len(story.leaves)
    story.add_stock(**{f"c{MISSING}": 1})
    story.leaves.insert(position, story.leaves.pop(leaf))


def test_a_value_paid_out_without_a_copy_is_right(tmp_path: Path) -> None:
    story, _ = scarce_story(nothing)
    assert audit(tmp_path, story) == []


@pytest.mark.parametrize(("seconds", "is_right"), [(59, True), (60, False)])
def test_copies_of_the_last_minute_do_not_count_against_a_value_paid_out(
    tmp_path: Path, seconds: int, *, is_right: bool
) -> None:
    story, position = scarce_story(nothing)
    add_late(story, position=position, seconds=seconds)
    found = audit(tmp_path, story)
    assert [each.field for each in found] == (
        [] if is_right else [f"leaves[{position + 1}].paid_out"]
    )


@pytest.mark.parametrize(("seconds", "is_right"), [(60, True), (61, False)])
def test_another_opening_of_that_minute_may_have_taken_the_last_copy(
    tmp_path: Path, seconds: int, *, is_right: bool
) -> None:
    """Its leaf stands behind the one of the opening that found no copy any more."""
    story, position = scarce_story(lambda story: story.add_stock(**{f"c{MISSING}": 1}))
    taken = next(
        place
        for place, leaf in enumerate(story.leaves)
        if f'{MISSING:012x}"'.encode() in leaf and b"pack.opened" in leaf
    )
    assert taken < position
    story.leaves.insert(position, story.leaves.pop(taken))
    there = msgspec.json.decode(story.leaves[position - 1])
    moved = msgspec.json.decode(story.leaves[position])
    at = msgspec.convert(there["at"], type(BEGUN_AT)) + timedelta(seconds=seconds)
    story.leaves[position] = msgspec.json.encode({**moved, "at": moment(at)}, order="sorted")
    stock = [each for each in audit(tmp_path, story) if ".paid_out" in each.field]
    assert (stock == []) is is_right


@pytest.mark.parametrize(("seconds", "is_right"), [(60, True), (61, False)])
def test_a_copy_may_be_drawn_a_minute_before_its_own_leaf(
    tmp_path: Path, seconds: int, *, is_right: bool
) -> None:
    story, _ = scarce_story(lambda story: story.add_stock(**{f"c{MISSING}": 1}))
    added = next(place for place, leaf in enumerate(story.leaves) if leaf.count(b'"copies"') == 1)
    drawn = next(
        place
        for place, leaf in enumerate(story.leaves)
        if b"pack.opened" in leaf and f'{MISSING:012x}"'.encode() in leaf
    )
    leaf = msgspec.json.decode(story.leaves.pop(added))
    at = msgspec.convert(
        msgspec.json.decode(story.leaves[drawn - 1])["at"], type(BEGUN_AT)
    ) + timedelta(seconds=seconds)
    story.leaves.insert(drawn, msgspec.json.encode({**leaf, "at": moment(at)}, order="sorted"))
    found = audit(tmp_path, story)
    assert [each.field.partition(".")[0] for each in found] == (
        [] if is_right else [f"leaves[{drawn - 1}]"]
    )


def test_what_a_closed_lot_left_may_be_listed_again_with_another_seed(tmp_path: Path) -> None:
    story = LogStory()
    config, items, seed = lot_of(FINITE_LOT, number=0)
    lot = story.list_lot(config, items, seed)
    story.close_lot(lot)
    other = lot_of(FINITE_LOT, number=1)[2]
    assert config.lot is not None
    terms = msgspec.structs.replace(config.lot, commitment=verify.commitment_to(other).hex())
    story.list_lot(msgspec.structs.replace(config, number=2, lot=terms), items, other)
    assert audit(tmp_path, story) == []
    del story.leaves[2]
    assert [each.field for each in audit(tmp_path, story)] == ["leaves[3].manifest_root"]


def test_a_leaf_cut_off_is_told(tmp_path: Path) -> None:
    story, _ = scarce_story(nothing)
    audit(tmp_path, story)
    bundle = next((tmp_path / "tile" / "entries").rglob("[0-9]*"))
    bundle = next(path for path in [bundle, *bundle.rglob("*")] if path.is_file())
    bundle.write_bytes(bundle.read_bytes()[:-1])
    files = LogFiles(tmp_path)
    key = verify.read_verifier_key(files.read("key").decode())
    with pytest.raises(Differs, match="cut off"):
        verify.audit_log(files, verify.read_checkpoint(files.read("checkpoint"), key))


@pytest.mark.parametrize(
    "text", ["", "shop.example/log", "a+b", "a+00000000+AQ==", "+def287c7+AQ==", "x+y+z+w"]
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(Differs):
        verify.read_verifier_key(text)


NOTES = [
    b"",
    b"\xff",
    b"shop.example/log\n0\n",
    b"shop.example/log\n0\nAAAA\n\n",
    "shop.example/log\n0\nAAAA\n\n— shop.example/log AAAA\n".encode(),
    b"shop.example/log\n0\nAAAA\n\nno signature\n",
]


@pytest.mark.parametrize("content", NOTES)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    story = LogStory()
    files = write_files(tmp_path, log_files(story.leaves, configs={}, manifests={}))
    key = verify.read_verifier_key((files / "key").read_text())
    with pytest.raises(Differs):
        verify.read_checkpoint(content, key)
