# ruff: noqa: INP001 - a script beside the product, no part of a package
"""The audit of a whole shop's draw log, from its database to a stranger's mirror.

    python bench/audit_shop.py [--openings 100000]

Fills a real shop (PostgreSQL, relay, sequencer, web) with collectors who open packs, sells its lot
out, reveals seeds, and lets `packhouse verify log` follow the log over HTTP. Then the house lies:
from the shop's own leaves it writes logs with one cheat of each kind, signs them, and the audit has
to find each at its exact place. Prints JSON; ends with 1 when anything is not as it should be.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from audit import PLANTED, audit

from packhouse import drawlog, verify
from packhouse.bench.model import Options
from packhouse.bench.servers import bench_servers
from packhouse.bench.stage import Stage, open_stage, temporary_folder
from packhouse.demo.packs import list_demo_packs
from packhouse.flows.open_pack import OpenPack, OpenPacks, open_pack
from packhouse.flows.rotate_seed import rotate_seed
from packhouse.foundation.limits import PACKS_PER_OPENING_MAX
from packhouse.plumbing.idempotency import recognise
from packhouse.plumbing.settings import load_settings
from packhouse.verify import LogFiles
from worlds.log_files import write_files
from worlds.log_forgeries import LIES, ForgedLog, forged_files, forked_checkpoint
from worlds.log_story import LogStory

OPENINGS_EACH = 4
REVEALED_PAIRS = 500
PATIENCE_SECONDS = 120.0


def say(text: str) -> None:
    """Progress goes to standard error."""
    sys.stderr.write(f"{text}\n")


async def sell_the_lot_out(stage: Stage) -> None:
    """Every pack of the demo's lot, ten at a time."""
    lot = next(pack for pack in list_demo_packs() if pack.draft.lot is not None)
    terms = lot.draft.lot
    if terms is None:
        raise LookupError("the demo has no lot")
    request = OpenPacks(quantity=PACKS_PER_OPENING_MAX)
    for number in range(terms.packs // PACKS_PER_OPENING_MAX):
        user_id = stage.collectors[number].user_id
        repeat = recognise(user_id=user_id, route="audit", key=f"lot {number}", request=request)
        await open_pack(
            stage.house, OpenPack(user_id=user_id, slug=lot.slug, request=request, repeat=repeat)
        )


async def wait_for_the_log(stage: Stage) -> int:
    """Until a checkpoint covers every leaf; gives how many there are."""
    await stage.wait_for_relay()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        async with stage.house.database.connection() as connection:
            end = await drawlog.find_log_end(connection)
            newest = await drawlog.find_checkpoint(connection)
        if newest is not None and newest.size == end:
            return end
        if time.monotonic() > deadline:
            raise TimeoutError("the sequencer did not keep up")
        await asyncio.sleep(0.2)


def follow(stage: Stage, mirror: Path) -> dict[str, object]:
    """What a stranger does with nothing but the shop's address."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "packhouse", "verify", "log",
         f"http://{stage.host}:{stage.port}", "--save", str(mirror)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    say(done.stdout + done.stderr)
    return {"exit_code": done.returncode, "seconds": round(time.perf_counter() - begun, 1)}


async def read_story(stage: Stage, mirror: Path) -> LogStory:
    """The shop's own leaves with the files that the stranger saved."""
    story = LogStory(keeps_receipts=False)
    story.leaves.clear()
    async with stage.house.database.connection() as connection:
        while portion := await drawlog.list_leaves(
            connection, first=len(story.leaves), limit=10_000
        ):
            story.leaves += portion
    story.configs = {path.stem: path.read_bytes() for path in mirror.rglob("configs/*.json")}
    story.manifests = {path.stem: path.read_bytes() for path in mirror.rglob("manifests/*.jsonl")}
    return story


def swap_weights(log: ForgedLog) -> str:
    """Two weights of the first published version change places, and nothing else."""
    config_hash = log.leaves[log.find(kind="pack.published")]["config_hash"]
    config = log.configs[config_hash].decode()
    one, other = list(dict.fromkeys(re.findall(r'"weight":\d+', config)))[:2]
    swapped = config.replace(one, "\0", 1).replace(other, one, 1).replace("\0", other, 1)
    log.configs[config_hash] = swapped.encode()
    return f"configs/{config_hash}.json (SHA-256)"


def find_planted(story: LogStory) -> dict[str, dict[str, object]]:
    """Which mismatch comes first for each cheat, and which should."""
    found: dict[str, dict[str, object]] = {}
    lies = {cheat: LIES[lie] for cheat, lie in PLANTED.items()} | {"swapped weight": swap_weights}
    for cheat, lie in lies.items():
        changed, field = forged_files(story, lie)
        with tempfile.TemporaryDirectory() as folder:
            files = LogFiles(write_files(Path(folder), iter(changed.items())))
            mismatches = audit(files, processes=2).mismatches
        first = mismatches[0].field if mismatches else None
        found[cheat] = {"planted": field, "found": first, "is_good": first == field}
    honest, _ = forged_files(story, lambda _: "")
    with tempfile.TemporaryDirectory() as folder:
        files = LogFiles(write_files(Path(folder), iter(honest.items())))
        key = verify.read_verifier_key(files.read("key").decode())
        now = verify.read_checkpoint(files.read("checkpoint"), key)
        note = forked_checkpoint(story, size=len(story.leaves) // 2)
        seen = verify.read_checkpoint(note, key)
        forks = verify.check_extends(files, now, seen, name="the checkpoint seen before")
    found["forked log"] = {
        "planted": "the checkpoint seen before",
        "found": forks[0].field if forks else None,
        "is_good": bool(forks) and forks[0].field == "the checkpoint seen before",
    }
    return found


async def play(openings: int) -> dict[str, object]:
    """The whole of it, on servers of its own."""
    collectors = max(1_000, -(-openings // OPENINGS_EACH))
    with temporary_folder() as folder:
        settings = load_settings({}).settings
        with bench_servers(folder, settings, announce=say) as servers:
            options = Options(collectors=collectors, openings_each=OPENINGS_EACH, recorded_nonce=0)
            async with open_stage(folder, servers, options, say=say) as stage:
                await sell_the_lot_out(stage)
                for collector in stage.collectors[:REVEALED_PAIRS]:
                    await rotate_seed(stage.house, collector.user_id)
                leaves = await wait_for_the_log(stage)
                mirror = folder / "mirror"
                followed = await asyncio.to_thread(follow, stage, mirror)
                story = await read_story(stage, mirror)
    opened = sum(b'"kind":"pack.opened"' in leaf for leaf in story.leaves)
    cheats = find_planted(story)
    return {
        "leaves": leaves,
        "openings_of_odds_packs": opened,
        "audit_over_http": followed,
        "cheats": cheats,
        "is_good": followed["exit_code"] == 0
        and opened >= openings
        and all(cheat["is_good"] for cheat in cheats.values()),
    }


def main() -> int:
    """Run it, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--openings", type=int, default=100_000)
    outcome = asyncio.run(play(parser.parse_args().openings))
    sys.stdout.write(json.dumps(outcome, indent=1) + "\n")
    return 0 if outcome["is_good"] else 1


if __name__ == "__main__":
    sys.exit(main())
