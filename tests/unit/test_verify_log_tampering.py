"""Whichever byte of a log's files or of a logged receipt is flipped, it is caught."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packhouse import verify
from packhouse.verify import CouldNotLook, Differs, LogFiles
from worlds.log_files import log_files, verifier_key, write_files
from worlds.log_story import canonical
from worlds.log_world import SmallLog


@cache
def honest() -> SmallLog:
    return SmallLog()


@cache
def honest_files() -> Mapping[str, bytes]:
    story = honest().story
    return dict(log_files(story.leaves, configs=story.configs, manifests=story.manifests))


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("mirror"), iter(honest_files().items()))


def is_clean(folder: Path, *, key: str | None = None) -> bool:
    files = LogFiles(folder)
    try:
        verifier = verify.read_verifier_key(key or files.read("key").decode(errors="replace"))
        checkpoint = verify.read_checkpoint(files.read("checkpoint"), verifier)
        audit = verify.audit_log(files, checkpoint)
    except (Differs, CouldNotLook):
        return False
    return not audit.mismatches and not audit.unseen


def test_the_mirror_is_clean_as_it_is(mirror: Path) -> None:
    assert is_clean(mirror)
    assert is_clean(mirror, key=verifier_key())


@pytest.mark.parametrize(
    "kind", ["tile/entries", "tile/0", "tile/1", "configs", "manifests", "key", ""]
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_flipping_any_byte_of_a_file_is_caught(
    mirror: Path, kind: str, data: st.DataObject
) -> None:
    names = [name for name in honest_files() if name.startswith(kind or "checkpoint")]
    name = data.draw(st.sampled_from(sorted(names)))
    content = honest_files()[name]
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(1, 255)) ^ content[place]
    (mirror / name).write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
    try:
        assert not is_clean(mirror)
        # With a key from elsewhere the one beside the log is not looked at.
        assert (name == "key") == is_clean(mirror, key=verifier_key())
    finally:
        (mirror / name).write_bytes(content)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_flipping_any_byte_of_a_logged_receipt_is_caught(data: st.DataObject) -> None:
    story = honest().story
    opening = data.draw(st.sampled_from(list(story.receipts)))
    text = canonical(story.receipts[opening])
    leaf = json.loads(story.leaves[story.positions[opening]])
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(1, 255)) ^ text[place]
    forged = text[:place] + bytes([byte]) + text[place + 1 :]
    try:
        receipt = verify.read_receipt(forged)
    except Differs:
        return
    receipt_hash = verify.hash_of_receipt(json.loads(forged))
    assert verify.check_commitment(receipt) or receipt_hash != leaf["receipt_hash"]
