"""The verifier of logs gives the golden vectors, and the vectors are what the log's maker makes."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from packhouse import verify
from packhouse.verify import Differs, LogFiles, Mismatch
from worlds.log_files import write_files
from worlds.log_vectors import log_vectors_text

TEXT: Final = (Path(__file__).parents[1] / "vectors" / "log.json").read_text(encoding="utf-8")
VECTORS: Final[dict[str, Any]] = json.loads(TEXT)
JUDGED_AT: Final = datetime.fromisoformat(VECTORS["judged_at"])


def content_of(written: dict[str, str]) -> bytes:
    return written["text"].encode() if "text" in written else base64.b64decode(written["base64"])


HONEST: Final = {name: content_of(written) for name, written in VECTORS["files"].items()}


def changed_files(changes: dict[str, Any]) -> dict[str, bytes]:
    files = {name: content for name, content in HONEST.items() if name not in changes}
    for name, change in changes.items():
        if change is None:
            continue
        content, made, at = HONEST[change["from"]], b"", 0
        for start, end, put in change["splices"]:
            made += content[at:start] + base64.b64decode(put)
            at = end
        files[name] = made + content[at:]
    return files


def mismatches_in(folder: Path, vector: dict[str, Any]) -> list[Mismatch]:
    files = LogFiles(write_files(folder, iter(changed_files(vector.get("changes", {})).items())))
    try:
        key = verify.read_verifier_key(vector.get("key", VECTORS["key"]))
        checkpoint = verify.read_checkpoint(files.read("checkpoint"), key)
        audit = verify.audit_log(files, checkpoint, judged_at=JUDGED_AT)
        found = list(audit.mismatches)
        earlier = vector.get("earlier_checkpoints", VECTORS["earlier_checkpoints"])
        for place, note in enumerate(earlier):
            name = f"earlier_checkpoints[{place}]"
            other = verify.read_checkpoint(note.encode(), key, name=name)
            found += verify.check_extends(files, checkpoint, other, name=name)
    except Differs as error:
        return [error.mismatch]
    assert not audit.unseen
    return found


def test_the_vectors_are_what_their_maker_makes() -> None:
    assert log_vectors_text() == TEXT


def test_the_honest_log_matches(tmp_path: Path) -> None:
    assert mismatches_in(tmp_path, {}) == []
    files = LogFiles(tmp_path)
    key = verify.read_verifier_key(HONEST["key"].decode())
    checkpoint = verify.read_checkpoint(HONEST["checkpoint"], key)
    audit = verify.audit_log(files, checkpoint, judged_at=JUDGED_AT)
    assert VECTORS["matches"] == {
        "leaves": audit.leaves,
        "openings": audit.openings,
        "redrawn": audit.redrawn,
        "waiting": audit.waiting,
    }


def test_the_honest_log_has_tiles_of_two_levels() -> None:
    assert VECTORS["matches"]["leaves"] > 256
    assert any(name.startswith("tile/1/") for name in HONEST)


@pytest.mark.parametrize("vector", VECTORS["forged"], ids=lambda vector: str(vector["name"]))
def test_a_forged_log_is_caught_at_its_place(tmp_path: Path, vector: dict[str, Any]) -> None:
    found = mismatches_in(tmp_path, vector)
    assert found, vector["name"]
    assert found[0].field == vector["field"], found[:3]


@pytest.mark.parametrize("vector", VECTORS["receipts"], ids=lambda vector: str(vector["position"]))
def test_a_receipt_is_the_one_of_its_leaf(tmp_path: Path, vector: dict[str, Any]) -> None:
    files = LogFiles(write_files(tmp_path, iter(HONEST.items())))
    key = verify.read_verifier_key(VECTORS["key"])
    checkpoint = verify.read_checkpoint(HONEST["checkpoint"], key)
    receipt = verify.read_receipt(vector["receipt"].encode())
    found = verify.find_opening(files, checkpoint, receipt.id)
    assert found is not None
    position, leaf = found
    assert position == vector["position"]
    receipt_hash = verify.hash_of_receipt(json.loads(vector["receipt"]))
    assert verify.check_logged(receipt, receipt_hash, leaf, at="leaf") == []
