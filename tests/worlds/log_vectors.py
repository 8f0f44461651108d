"""Golden vectors of the draw log: one honest log and many forged ones, for every verifier.

``python -m worlds.log_vectors`` in ``tests`` prints ``vectors/log.json``.
"""

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Final

from worlds.log_files import ORIGIN, OTHER_KEY, log_files, verifier_key
from worlds.log_forgeries import (
    LIES,
    forged_files,
    forked_checkpoint,
    spoilt_files,
    true_checkpoint,
)
from worlds.log_story import Tree, canonical, moment
from worlds.log_world import SmallLog

NOTE: Final = """\
files: the files of one honest mirror by their path, as text or as base64.
judged_at: the time at which promises (reveals within 7 days) are to be held against it.
earlier_checkpoints: signed states of the same log; each has to be accepted with it.
receipts: of some openings, with the positions of their leaves; receipt_hash is that of the
 canonical JSON of a receipt with server_seed null.
matches: what the verifier should count in the honest log. openings are odds packs and packs of
 lots; redrawn are those whose seed the log reveals; waiting are the others.
forged: each is the honest log with changes, to be refused. changes has a path and either null (the
 file is gone) or {from, splices}: take the honest file called from, and put, for each [start, end,
 base64] of splices, these bytes in place of those from start to end; offsets are those of the
 honest file. If a forged log has a key or earlier_checkpoints, use it instead of the honest one.
field: the place of the first mismatch. Mismatches are in the order of their leaves' positions; at
 one position hash and form come first, then the laws along the log, then the draws. A configuration
 or a manifest counts as the leaf that made it known. Those of hash tiles above level 0 and of the
 root are behind all leaves, those of other checkpoints at the end; a checkpoint without its
 signature, or of another origin, comes before everything. All further mismatches and words are
 free.
"""
KEPT_RECEIPTS: Final = 6
EARLIER_SIZES: Final = (0, 1, 200, 256, 300)


def make_log_vectors() -> Tree:
    """Everything in ``vectors/log.json``."""
    honest = SmallLog()
    story = honest.story
    files = dict(log_files(story.leaves, configs=story.configs, manifests=story.manifests))
    forged = []
    for name, lie in LIES.items():
        changed, field = forged_files(story, lie)
        forged.append({"name": name, "changes": _changes(files, changed), "field": field})
    for name, changed, field in spoilt_files(story, files):
        forged.append({"name": name, "changes": _changes(files, changed), "field": field})
    forged += [
        {
            "name": f"a log that forked before leaf {size}",
            "changes": {},
            "earlier_checkpoints": [forked_checkpoint(story, size=size).decode()],
            "field": "earlier_checkpoints[0]",
        }
        for size in (100, 256, len(story.leaves))
    ]
    forged.append(
        {
            "name": "another key from elsewhere",
            "changes": {},
            "key": verifier_key(OTHER_KEY),
            "field": "the checkpoint, its signature",
        }
    )
    openings = [leaf for leaf in map(json.loads, story.leaves) if "opening" in leaf]
    waiting = sum(story.receipts[leaf["opening"]]["server_seed"] is None for leaf in openings)
    return {
        "format": "packhouse.log-vectors/1",
        "note": NOTE.splitlines(),
        "origin": ORIGIN,
        "key": verifier_key(),
        "judged_at": moment(honest.judged_at),
        "files": {name: _written(content) for name, content in files.items()},
        "earlier_checkpoints": [
            true_checkpoint(story, size=size).decode() for size in EARLIER_SIZES
        ],
        "matches": {
            "leaves": len(story.leaves),
            "openings": len(openings),
            "redrawn": len(openings) - waiting,
            "waiting": waiting,
        },
        "receipts": [
            {
                "position": story.positions[opening],
                "receipt": canonical(story.receipts[opening]).decode(),
            }
            for opening in _chosen_receipts(honest)
        ],
        "forged": forged,
    }


def log_vectors_text() -> str:
    """The file's text."""
    return json.dumps(make_log_vectors(), indent=1, ensure_ascii=False) + "\n"


def _chosen_receipts(honest: SmallLog) -> list[str]:
    """The first and the last openings, and the last pack of the lot that was sold out."""
    ids = list(honest.story.receipts)
    last_one = next(
        opening
        for opening, receipt in honest.story.receipts.items()
        if "last_one" in receipt["cards"][-1]
    )
    return [*ids[: KEPT_RECEIPTS // 2], last_one, *ids[-KEPT_RECEIPTS // 2 :]]


def _written(content: bytes) -> Tree:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    is_plain = all(character == "\n" or character.isprintable() for character in text)
    return {"text": text} if is_plain else {"base64": base64.b64encode(content).decode()}


def _changes(honest: Mapping[str, bytes], forged: Mapping[str, bytes]) -> Tree:
    made: Tree = {name: None for name in honest if name not in forged}
    for name, content in forged.items():
        if honest.get(name) == content:
            continue
        source = name if name in honest else _same_tile(honest, name)
        made[name] = {"from": source, "splices": _splices(source, honest[source], content)}
    return made


def _same_tile(honest: Mapping[str, bytes], name: str) -> str:
    """The honest file of a tile that has another width there."""
    tile = name.partition(".p/")[0]
    return next(each for each in honest if each.partition(".p/")[0] == tile)


def _splices(name: str, before: bytes, after: bytes) -> list[list[int | str]]:
    """What turns one into the other, by whole leaves and whole hashes."""
    old, new = _chunks(name, before), _chunks(name, after)
    starts = [0]
    for chunk in old:
        starts.append(starts[-1] + len(chunk))
    return [
        [starts[i], starts[j], base64.b64encode(b"".join(new[k:m])).decode()]
        for tag, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def _chunks(name: str, content: bytes) -> Sequence[bytes]:
    if name.startswith("tile/entries/"):
        chunks, at = [], 0
        while at < len(content):
            end = at + 2 + int.from_bytes(content[at : at + 2], "big")
            chunks.append(content[at:end])
            at = end
        return chunks
    if name.startswith("tile/"):
        return [content[at : at + 32] for at in range(0, len(content), 32)]
    return content.splitlines(keepends=True)


if __name__ == "__main__":
    sys.stdout.write(log_vectors_text())
