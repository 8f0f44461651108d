"""One bundle of leaves: their hashes, their forms, and the draws of those that are odds packs.

Bundles do not depend on each other, so several processes take them; what does, the laws that go
over the whole log, is ``laws``.
"""

from collections.abc import Mapping

import msgspec

from packhouse.verify.findings import Differs, Mismatch
from packhouse.verify.leaves import Leaf, PackOpened, leaf_name, read_leaf
from packhouse.verify.published import PublishedConfigs
from packhouse.verify.redraws import check_opened
from packhouse.verify.tiles import (
    TILE_WIDTH,
    LogFiles,
    leaf_hash,
    read_bundle,
    read_hashes,
    root_of,
    split_hashes,
    tile_name,
)


class CheckedBundle(msgspec.Struct, frozen=True):
    """What a bundle holds; ``leaves`` are those that could be read, with their positions.

    ``root`` is that of its leaves; ``unlike`` are the mismatches of their bytes, ``undrawn`` those
    of their draws; ``redrawn`` counts the openings that were drawn again.
    """

    leaves: list[tuple[int, Leaf]]
    root: bytes
    unlike: list[tuple[int, Mismatch]]
    undrawn: list[tuple[int, Mismatch]]
    redrawn: int


class BundleChecker:
    """Checks bundles of one log; ``seeds`` are the revealed ones by their commitment."""

    def __init__(self, files: LogFiles, *, size: int, seeds: Mapping[str, bytes]) -> None:
        self._files, self._size, self._seeds = files, size, seeds
        self._configs = PublishedConfigs(files)

    def check(self, number: int) -> CheckedBundle:
        """Check one bundle. Raises ``CouldNotLook``; ``Differs`` when it cannot be taken apart."""
        first = number * TILE_WIDTH
        width = min(TILE_WIDTH, self._size - first)
        contents = read_bundle(self._files, number, width=width)
        hashes = [leaf_hash(content) for content in contents]
        unlike = self._check_hashes(number, hashes)
        undrawn: list[tuple[int, Mismatch]] = []
        leaves: list[tuple[int, Leaf]] = []
        redrawn = 0
        for position, content in enumerate(contents, start=first):
            try:
                leaf = read_leaf(content, position=position)
            except Differs as error:
                unlike.append((position, error.mismatch))
                continue
            leaves.append((position, leaf))
            if isinstance(leaf, PackOpened):
                redrawn += self.check_draws(position, leaf, undrawn)
        return CheckedBundle(
            leaves=leaves,
            root=root_of(hashes),
            unlike=unlike,
            undrawn=undrawn,
            redrawn=redrawn,
        )

    def check_draws(
        self, position: int, leaf: PackOpened, mismatches: list[tuple[int, Mismatch]]
    ) -> bool:
        """Whether the opening was drawn again."""
        plan = self._configs.find_plan(leaf.config_hash)
        if plan is None:
            return False
        seed = self._seeds.get(leaf.commitment)
        name = leaf_name(position)
        mismatches += [
            (position, each) for each in check_opened(leaf, plan, server_seed=seed, name=name)
        ]
        return seed is not None

    def _check_hashes(self, number: int, hashes: list[bytes]) -> list[tuple[int, Mismatch]]:
        first, name = number * TILE_WIDTH, tile_name(0, number, width=len(hashes))
        try:
            tile = read_hashes(self._files, 0, number, width=len(hashes))
        except Differs as error:
            return [(first, error.mismatch)]
        if tile == b"".join(hashes):
            return []
        return [
            (position, Mismatch(leaf_name(position), f"{wanted.hex()} as in {name}", found.hex()))
            for position, (wanted, found) in enumerate(
                zip(split_hashes(tile), hashes, strict=True), start=first
            )
            if wanted != found
        ]
