# ruff: noqa: INP001 - a script beside the product, no part of a package
"""How long the audit of a large draw log takes, and whether it finds what was planted.

    python bench/audit.py [--openings 1000000] [--planted 100000] [--processes 2]

Writes a log of packs of eight cards as a mirror into a temporary folder (about one kilobyte an
opening) and times `packhouse verify log` over it. Then plants one cheat of each kind in a log of
its own and looks whether each is found at its exact place. Prints JSON; ends with 1 when a cheat is
not found or a million openings would take longer than a minute.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from packhouse import verify
from packhouse.verify import Audit, LogFiles
from worlds.log_files import log_files, write_files
from worlds.log_forgeries import LIES, forged_files, forked_checkpoint
from worlds.log_story import LogStory
from worlds.log_world import busy_story

SECONDS_FOR_A_MILLION: Final = 60
MILLION: Final = 1_000_000
PLANTED: Final = {
    "altered outcome": "a number changed",
    "dropped leaf": "an opening dropped",
    "swapped weight": "a weight swapped",
    "reordered lot": "a lot reordered",
}
"""The lie that stands for each cheat."""


def write_story(folder: Path, story: LogStory) -> LogFiles:
    """The mirror of a story."""
    files = log_files(story.leaves, configs=story.configs, manifests=story.manifests)
    return LogFiles(write_files(folder, files))


def audit(files: LogFiles, *, processes: int) -> Audit:
    """What ``packhouse verify log`` does."""
    key = verify.read_verifier_key(files.read("key").decode())
    checkpoint = verify.read_checkpoint(files.read("checkpoint"), key)
    return verify.audit_log(files, checkpoint, processes=processes)


def time_audit(openings: int, *, processes: int) -> dict[str, object]:
    """The seconds that an honest log takes."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_story(Path(folder), busy_story(openings))
        begun = time.perf_counter()
        found = audit(files, processes=processes)
        seconds = time.perf_counter() - begun
    return {
        "openings": openings,
        "leaves": found.leaves,
        "drawn_again": found.redrawn,
        "mismatches": len(found.mismatches),
        "processes": processes,
        "seconds": round(seconds, 2),
        "openings_per_second": round(openings / seconds),
        "is_good": not found.mismatches and seconds * MILLION / openings < SECONDS_FOR_A_MILLION,
    }


def find_planted(openings: int, *, processes: int) -> dict[str, dict[str, object]]:
    """Which mismatch comes first for each cheat, and which should."""
    story = busy_story(openings)
    found: dict[str, dict[str, object]] = {}
    for cheat, lie in PLANTED.items():
        changed, field = forged_files(story, LIES[lie])
        with tempfile.TemporaryDirectory() as folder:
            files = LogFiles(write_files(Path(folder), iter(changed.items())))
            mismatches = audit(files, processes=processes).mismatches
        first = mismatches[0].field if mismatches else None
        found[cheat] = {"planted": field, "found": first, "is_good": first == field}
    with tempfile.TemporaryDirectory() as folder:
        files = write_story(Path(folder), story)
        key = verify.read_verifier_key(files.read("key").decode())
        seen = verify.read_checkpoint(forked_checkpoint(story, size=openings // 2), key)
        now = verify.read_checkpoint(files.read("checkpoint"), key)
        forks = verify.check_extends(files, now, seen, name="the checkpoint seen before")
    first = forks[0].field if forks else None
    field = "the checkpoint seen before"
    found["forked log"] = {"planted": field, "found": first, "is_good": first == field}
    return found


def main() -> int:
    """Run both, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--openings", type=int, default=MILLION)
    parser.add_argument("--planted", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    cheats = find_planted(options.planted, processes=options.processes)
    timed = time_audit(options.openings, processes=options.processes)
    sys.stdout.write(json.dumps({"cheats": cheats, "audit": timed}, indent=1) + "\n")
    is_good = timed["is_good"] and all(cheat["is_good"] for cheat in cheats.values())
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
