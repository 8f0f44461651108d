"""What has to hold along the whole log, leaf by leaf in its order.

The laws are those of "The draw log" in ``docs/fairness.md``. After a mismatch the count goes on
from what the leaf says, so that one lie is told once.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from packhouse.verify.configs import Lot, LotTerms
from packhouse.verify.drawing import commitment_to
from packhouse.verify.findings import CouldNotLook, Mismatch
from packhouse.verify.leaves import (
    Leaf,
    LotClosed,
    LotListed,
    LotOpened,
    PackOpened,
    PackPublished,
    PackWithdrawn,
    SeedCommitted,
    SeedRevealed,
    StockAdded,
    StockExhausted,
    StockWithdrawn,
    leaf_name,
)
from packhouse.verify.looking import NotThere
from packhouse.verify.lots import ListedLot
from packhouse.verify.manifests import check_manifest
from packhouse.verify.published import PublishedConfigs
from packhouse.verify.stock import CROSSING, StockCount
from packhouse.verify.tiles import LogFiles

REVEALED_WITHIN: Final = timedelta(days=7)
"""How long after its first use a pair may be secret."""


class _Pair:
    """A seed pair as far as the log was read."""

    __slots__ = ("first_use", "openings", "revealed_in", "used_at", "user_key")

    def __init__(self, user_key: str) -> None:
        self.user_key = user_key
        self.openings = 0
        self.first_use: int | None = None
        self.used_at: datetime | None = None
        self.revealed_in: int | None = None


class LogLaws:
    """Walks the leaves; ``seeds`` are all that the log reveals, by their commitment."""

    def __init__(
        self, files: LogFiles, *, seeds: Mapping[str, bytes], counts_stock: bool = True
    ) -> None:
        self._files, self._seeds = files, seeds
        self.configs = PublishedConfigs(files)
        self.unseen: list[str] = []
        self.lots: dict[str, ListedLot] = {}
        """By the hash of their configuration."""
        self._unread_lots: set[str] = set()
        """Configurations and commitments of lots whose terms could not be read."""
        self._slugs: dict[str, str] = {}
        self._published_in: dict[str, int] = {}
        self._commitments: dict[str, int] = {}
        self._pairs: dict[str, _Pair] = {}
        self._user_keys: dict[str, int] = {}
        self._stock, self._counts_stock = StockCount(), counts_stock

    def walk(self, position: int, leaf: Leaf) -> Iterator[Mismatch]:
        """What is wrong with the leaf, given those before it."""
        match leaf:
            case PackOpened():
                return self._open_pack(position, leaf)
            case LotListed() | LotOpened() | LotClosed():
                return self._walk_lot(position, leaf)
            case SeedCommitted():
                return self._commit(position, leaf)
            case SeedRevealed():
                return self._reveal(position, leaf)
            case PackPublished():
                return self._publish(position, leaf)
            case PackWithdrawn():
                return self._withdraw(position, leaf)
            case StockAdded() | StockWithdrawn() | StockExhausted():
                return self._stock.walk(position, leaf)

    def list_broken_promises(self, judged_at: datetime) -> Iterator[tuple[int, Mismatch]]:
        """What should have been in the log by then and is not, and stock that does not add up."""
        yield from self._stock.list_mismatches()
        for pair in self._pairs.values():
            if pair.first_use is None or pair.used_at is None or pair.revealed_in is not None:
                continue
            due = pair.used_at + REVEALED_WITHIN
            if judged_at > due:
                field = f"{leaf_name(pair.first_use)}.commitment"
                wanted = f"its seed revealed by {due.isoformat()}, 7 days after its first use here"
                yield pair.first_use, Mismatch(field, wanted, f"no reveal {_until(judged_at)}")
        for lot in self.lots.values():
            if lot.closed_in is None and lot.ended_at and judged_at > lot.ended_at + CROSSING:
                field = f"{leaf_name(lot.last_in)}.draw"
                wanted = "the lot's seed revealed with its last draw"
                yield lot.last_in, Mismatch(field, wanted, f"no lot.closed {_until(judged_at)}")

    def count_unrevealed(self) -> int:
        """How many openings wait for their seeds."""
        pairs = sum(pair.openings for pair in self._pairs.values() if pair.revealed_in is None)
        return pairs + sum(lot.packs for lot in self.lots.values() if lot.seed is None)

    def _commit(self, position: int, leaf: SeedCommitted) -> Iterator[Mismatch]:
        name = leaf_name(position)
        if leaf.commitment in self._commitments:
            yield _again(f"{name}.commitment", self._commitments[leaf.commitment])
            return
        if leaf.user_key in self._user_keys:
            yield _again(f"{name}.user_key", self._user_keys[leaf.user_key])
        self._commitments[leaf.commitment] = position
        self._pairs[leaf.commitment] = _Pair(leaf.user_key)
        self._user_keys.setdefault(leaf.user_key, position)

    def _reveal(self, position: int, leaf: SeedRevealed) -> Iterator[Mismatch]:
        name, pair = leaf_name(position), self._pairs.get(leaf.commitment)
        if pair is None:
            yield _unknown(f"{name}.commitment", leaf.commitment)
            return
        if leaf.user_key != pair.user_key:
            yield Mismatch(f"{name}.user_key", pair.user_key, leaf.user_key)
        yield from _check_seed(name, leaf.server_seed, leaf.commitment)
        if leaf.openings != pair.openings:
            yield Mismatch(f"{name}.openings", str(pair.openings), str(leaf.openings))
        if pair.revealed_in is not None:
            found = f"revealed by {leaf_name(pair.revealed_in)}"
            yield Mismatch(f"{name}.commitment", "a pair that is not revealed yet", found)
            return
        pair.revealed_in = position
        if pair.used_at is not None and leaf.at > pair.used_at + REVEALED_WITHIN:
            due = (pair.used_at + REVEALED_WITHIN).isoformat()
            wanted = f"at the latest {due}, 7 days after its first use"
            yield Mismatch(f"{name}.at", wanted, leaf.at.isoformat())

    def _withdraw(self, position: int, leaf: PackWithdrawn) -> Iterator[Mismatch]:
        name, slug = leaf_name(position), self._slugs.get(leaf.config_hash)
        if slug is None:
            yield _unknown(f"{name}.config_hash", leaf.config_hash)
        elif leaf.slug != slug:
            yield Mismatch(f"{name}.slug", slug, leaf.slug)

    def _publish(self, position: int, leaf: PackPublished) -> Iterator[Mismatch]:
        name = leaf_name(position)
        if leaf.config_hash in self._slugs:
            yield _again(f"{name}.config_hash", self._published_in[leaf.config_hash])
            return
        self._slugs[leaf.config_hash] = leaf.slug
        self._published_in[leaf.config_hash] = position
        config = self.configs.find(leaf.config_hash)
        if config is None:
            yield from filter(None, [self.configs.mismatches.get(leaf.config_hash)])
            self.unseen += filter(None, [self.configs.unseen.get(leaf.config_hash)])
            return
        if leaf.slug != config.terms.slug:
            yield Mismatch(f"{name}.slug", config.terms.slug, leaf.slug)
        if leaf.number != config.terms.number:
            yield Mismatch(f"{name}.number", str(config.terms.number), str(leaf.number))

    def _open_pack(self, position: int, leaf: PackOpened) -> Iterator[Mismatch]:
        name, pair = leaf_name(position), self._pairs.get(leaf.commitment)
        if pair is None:
            yield _unknown(f"{name}.commitment", leaf.commitment)
        else:
            if leaf.user_key != pair.user_key:
                yield Mismatch(f"{name}.user_key", pair.user_key, leaf.user_key)
            if pair.revealed_in is not None:
                found = f"revealed by {leaf_name(pair.revealed_in)}"
                yield Mismatch(f"{name}.commitment", "a pair that is not revealed yet", found)
            if leaf.nonce != pair.openings:
                yield Mismatch(f"{name}.nonce", str(pair.openings), str(leaf.nonce))
            pair.openings = leaf.nonce + 1
            if pair.first_use is None:
                pair.first_use, pair.used_at = position, leaf.at
        if leaf.config_hash not in self._slugs:
            yield _unknown(f"{name}.config_hash", leaf.config_hash)
            return
        plan = self.configs.find_plan(leaf.config_hash)
        if self._counts_stock:
            self._stock.open(position, leaf, plan.physical if plan else frozenset())
        if plan is None and self.configs.find(leaf.config_hash) is not None:
            yield Mismatch(f"{name}.config_hash", "that of an odds pack", "that of a lot")

    def _walk_lot(
        self, position: int, leaf: LotListed | LotOpened | LotClosed
    ) -> Iterator[Mismatch]:
        match leaf:
            case LotOpened():
                return self._open_lot(position, leaf)
            case LotListed():
                return self._list_lot(position, leaf)
            case LotClosed():
                return self._close_lot(position, leaf)

    def _list_lot(self, position: int, leaf: LotListed) -> Iterator[Mismatch]:
        name = leaf_name(position)
        yield from self._check_new(position, leaf)
        if leaf.config_hash not in self._slugs:
            yield _unknown(f"{name}.config_hash", leaf.config_hash)
        config = self.configs.find(leaf.config_hash)
        if config is None:
            self._unread_lots |= {leaf.config_hash, leaf.commitment}
        if config is None or leaf.config_hash in self.lots:
            return
        if not isinstance(config.terms, LotTerms):
            yield Mismatch(f"{name}.config_hash", "that of a lot", "that of an odds pack")
            return
        terms = config.terms.lot
        lot = ListedLot(position, leaf, terms, seed=self._seeds.get(terms.commitment))
        self.lots[leaf.config_hash] = lot
        yield from lot.check_listing()
        yield from self._check_manifest(terms)

    def _check_new(self, position: int, leaf: LotListed) -> Iterator[Mismatch]:
        """Nothing that the lot rests on was logged before."""
        name = leaf_name(position)
        if leaf.commitment in self._commitments:
            yield _again(f"{name}.commitment", self._commitments[leaf.commitment])
        self._commitments.setdefault(leaf.commitment, position)
        for lot in self.lots.values():
            if leaf.config_hash == lot.leaf.config_hash:
                yield _again(f"{name}.config_hash", lot.listed_in)
            # What a lot left over that was closed may be sold again, as a lot with another seed.
            if leaf.manifest_root == lot.leaf.manifest_root and lot.closed_in is None:
                yield _again(f"{name}.manifest_root", lot.listed_in)

    def _check_manifest(self, terms: Lot) -> Iterator[Mismatch]:
        name = f"manifests/{terms.manifest_root}.jsonl"
        try:
            content = self._files.read(name)
        except NotThere:
            yield Mismatch(name, "the manifest of the lot", "none")
        except CouldNotLook as error:
            self.unseen.append(str(error))
        else:
            yield from check_manifest(content, terms, name=name)

    def _open_lot(self, position: int, leaf: LotOpened) -> Iterator[Mismatch]:
        name, lot = leaf_name(position), self.lots.get(leaf.config_hash)
        if leaf.user_key not in self._user_keys:
            yield _unknown(f"{name}.user_key", leaf.user_key)
        if lot is not None:
            yield from lot.open(position, leaf)
        elif leaf.config_hash not in self._unread_lots:
            yield _unknown(f"{name}.config_hash", leaf.config_hash)

    def _close_lot(self, position: int, leaf: LotClosed) -> Iterator[Mismatch]:
        name = leaf_name(position)
        lot = next(
            (lot for lot in self.lots.values() if lot.terms.commitment == leaf.commitment), None
        )
        if lot is not None:
            yield from lot.close(position, leaf)
        elif leaf.commitment not in self._unread_lots:
            yield _unknown(f"{name}.commitment", leaf.commitment)
            return
        yield from _check_seed(name, leaf.server_seed, leaf.commitment)


def _check_seed(name: str, server_seed: str, commitment: str) -> Iterator[Mismatch]:
    found = commitment_to(bytes.fromhex(server_seed)).hex()
    if found != commitment:
        wanted = f"a seed with the SHA-256 {commitment}"
        yield Mismatch(f"{name}.server_seed", wanted, f"{server_seed} with {found}")


def _again(field: str, before: int) -> Mismatch:
    return Mismatch(field, "one that was not logged before", f"that of {leaf_name(before)}")


def _unknown(field: str, found: str) -> Mismatch:
    return Mismatch(field, "one that a leaf before this one made known", found)


def _until(moment: datetime) -> str:
    return f"until {moment.isoformat()}"
