"""The audit of a whole log: every leaf, every law, and every draw whose seed is revealed."""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from datetime import datetime
from multiprocessing import get_context
from typing import Final

import msgspec

from packhouse.verify.bundles import BundleChecker, CheckedBundle
from packhouse.verify.drawing import commitment_to
from packhouse.verify.findings import Differs, Mismatch
from packhouse.verify.laws import LogLaws
from packhouse.verify.leaves import LotClosed, LotOpened, PackOpened, SeedRevealed, read_leaf
from packhouse.verify.lots import ListedLot
from packhouse.verify.notes import Checkpoint
from packhouse.verify.tiles import (
    TILE_WIDTH,
    LogFiles,
    TileTree,
    check_upper_tiles,
    list_widths,
    read_bundle,
    root_of,
)

BUNDLES_WORTH_A_PROCESS: Final = 40
"""Below this many a second process takes longer to start than it saves."""
BUNDLES_AHEAD: Final = 8
MISMATCHES_KEPT_MAX: Final = 10_000
_REVEALS: Final = re.compile(rb'"kind":"(?:seed\.revealed|lot\.closed)"')


class Audit(msgspec.Struct, frozen=True):
    """What came of it; ``mismatches`` in the order of their leaves, those of files behind;
    of very many the rest is only counted, in ``mismatches_dropped``.

    ``unseen`` tells what could not be looked at, and ``judged_at`` the time at which promises were
    held against the log: the one given, or else that of the latest leaf.
    """

    leaves: int
    openings: int
    redrawn: int
    waiting: int
    mismatches: list[Mismatch]
    mismatches_dropped: int
    unseen: list[str]
    judged_at: datetime | None
    lots: list[ListedLot]


def audit_log(
    files: LogFiles,
    checkpoint: Checkpoint,
    *,
    judged_at: datetime | None = None,
    processes: int = 1,
) -> Audit:
    """Check the log of a checkpoint. Raises ``CouldNotLook`` when a tile is not to be had.

    Raises ``Differs`` when a bundle cannot be taken apart.
    """
    seeds = _find_seeds(files, checkpoint.size)
    laws = LogLaws(files, seeds=seeds)
    found: list[tuple[int, Mismatch]] = []
    roots: list[bytes] = []
    openings = redrawn = dropped = 0
    latest = judged_at
    for bundle in _check_bundles(files, checkpoint.size, seeds, processes=processes):
        roots.append(bundle.root)
        redrawn += bundle.redrawn
        found += bundle.unlike
        for position, leaf in bundle.leaves:
            found += [(position, mismatch) for mismatch in laws.walk(position, leaf)]
            if isinstance(leaf, PackOpened | LotOpened):
                openings += 1
            if judged_at is None and (latest is None or leaf.at > latest):
                latest = leaf.at
        found += bundle.undrawn
        dropped += max(0, len(found) - MISMATCHES_KEPT_MAX)
        del found[MISMATCHES_KEPT_MAX:]
    if latest is not None:
        found += laws.list_broken_promises(latest)
    found.sort(key=lambda each: each[0])
    return Audit(
        leaves=checkpoint.size,
        openings=openings,
        redrawn=redrawn + sum(lot.packs for lot in laws.lots.values() if lot.seed is not None),
        waiting=laws.count_unrevealed(),
        mismatches=[each for _, each in found] + list(_check_tree(files, checkpoint, roots)),
        mismatches_dropped=dropped,
        unseen=laws.unseen,
        judged_at=latest,
        lots=list(laws.lots.values()),
    )


def check_extends(
    files: LogFiles, checkpoint: Checkpoint, other: Checkpoint, *, name: str
) -> list[Mismatch]:
    """One of the two trees is the beginning of the other. Raises ``CouldNotLook``.

    A larger checkpoint needs the tiles of its own tree.
    """
    smaller, larger = sorted((checkpoint, other), key=lambda each: each.size)
    tree = TileTree(files, larger.size)
    if larger is other and tree.root() != larger.root:
        return [_forked(name, tree.root(), larger)]
    begins = tree.root(smaller.size)
    return [] if begins == smaller.root else [_forked(name, begins, other)]


def _forked(name: str, begins: bytes, other: Checkpoint) -> Mismatch:
    wanted = f"the root {other.root.hex()} over the first {other.size} leaves"
    return Mismatch(name, wanted, f"a forked log, with {begins.hex()}")


def _find_seeds(files: LogFiles, size: int) -> dict[str, bytes]:
    """Every seed that the log reveals and that hashes to the commitment beside it."""
    seeds = {}
    for number, width in enumerate(list_widths(size)):
        for content in read_bundle(files, number, width=width):
            if _REVEALS.search(content) is None:
                continue
            # A leaf out of form is told when its bundle is checked.
            with suppress(Differs):
                leaf = read_leaf(content, position=0)
                if isinstance(leaf, SeedRevealed | LotClosed):
                    seed = bytes.fromhex(leaf.server_seed)
                    if commitment_to(seed).hex() == leaf.commitment:
                        seeds[leaf.commitment] = seed
    return seeds


def _check_tree(files: LogFiles, checkpoint: Checkpoint, roots: list[bytes]) -> Iterator[Mismatch]:
    full = roots if checkpoint.size % TILE_WIDTH == 0 else roots[:-1]
    yield from check_upper_tiles(files, full)
    root = root_of(roots)
    if root != checkpoint.root:
        wanted = f"{root.hex()}, to which the leaves hash"
        yield Mismatch("the checkpoint, its root", wanted, checkpoint.root.hex())


def _check_bundles(
    files: LogFiles, size: int, seeds: Mapping[str, bytes], *, processes: int
) -> Iterator[CheckedBundle]:
    count = len(list_widths(size))
    processes = min(processes, 1 + count // BUNDLES_WORTH_A_PROCESS)
    if processes == 1:
        checker = BundleChecker(files, size=size, seeds=seeds)
        yield from map(checker.check, range(count))
        return
    with ProcessPoolExecutor(
        processes,
        # A forked process would share what threads of this one hold.
        mp_context=get_context("spawn"),
        initializer=_take_log,
        initargs=(files, size, seeds),
    ) as pool:
        waiting: deque[Future[CheckedBundle]] = deque()
        for number in range(count):
            waiting.append(pool.submit(_check_bundle, number))
            if len(waiting) == BUNDLES_AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_checkers: list[BundleChecker] = []
"""The one of a process of the pool: what it reads of configurations is kept between bundles."""


def _take_log(files: LogFiles, size: int, seeds: Mapping[str, bytes]) -> None:
    _checkers[:] = [BundleChecker(files, size=size, seeds=seeds)]


def _check_bundle(number: int) -> CheckedBundle:
    return _checkers[0].check(number)
