"""One collector's own draws: the file that the shop hands out, and what the log has of them."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from packhouse.verify.bundles import BundleChecker
from packhouse.verify.drawing import commitment_to
from packhouse.verify.findings import CouldNotLook, Mismatch
from packhouse.verify.laws import REVEALED_WITHIN, LogLaws
from packhouse.verify.leaves import LotClosed, LotOpened, PackOpened, SeedCommitted, SeedRevealed
from packhouse.verify.logged import Opened, check_logged, hash_of_receipt, list_leaves
from packhouse.verify.notes import Checkpoint
from packhouse.verify.openings import check_commitment, check_draws, check_terms
from packhouse.verify.plain_json import parse_plain_json
from packhouse.verify.published import PublishedConfigs
from packhouse.verify.receipts import OddsReceipt, Receipt, receipt_of
from packhouse.verify.shapes import Hash, UserKey, WholeNumber, take_shape
from packhouse.verify.tiles import LogFiles

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_SHARED: Final = rb'"kind":"(?:seed\.committed|pack\.published|lot\.[a-z]+)"'


class HistoricPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A seed pair of the collector; the last three are null until it is revealed."""

    commitment: Hash
    user_key: UserKey
    created_at: Moment
    first_used_at: Moment | None
    revealed_at: Moment | None
    server_seed: Hash | None
    openings: WholeNumber | None


class _HistoryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["packhouse.history/1"]
    seed_pairs: tuple[HistoricPair, ...]
    receipts: tuple[dict[str, object], ...]


class History(msgspec.Struct, frozen=True):
    """The file as it was read; ``hashes`` are those that the log should have of the receipts."""

    pairs: tuple[HistoricPair, ...]
    receipts: tuple[Receipt, ...]
    hashes: tuple[str, ...]


class LoggedUser(msgspec.Struct, frozen=True):
    """What the log has under some user keys; ``openings`` by their ids, with their positions.

    ``revealed`` has the good reveals by their commitments, those of lots too.
    """

    openings: dict[str, tuple[int, Opened]]
    revealed: dict[str, SeedRevealed | LotClosed]
    redrawn: int
    waiting: int
    mismatches: list[Mismatch]


def read_history(content: bytes) -> History:
    """The history in a file's bytes. Raises ``Differs``."""
    tree = take_shape(
        parse_plain_json(content, name="the history"), _HistoryFile, name="the history"
    )
    return History(
        pairs=tree.seed_pairs,
        receipts=tuple(
            receipt_of(receipt, name=f"receipts[{place}]")
            for place, receipt in enumerate(tree.receipts)
        ),
        hashes=tuple(map(hash_of_receipt, tree.receipts)),
    )


def check_pairs(history: History, *, judged_at: datetime) -> Iterator[Mismatch]:
    """Seeds hash to their commitments, nonces are dense, and none was secret for too long."""
    nonces: defaultdict[str, list[int]] = defaultdict(list)
    for receipt in history.receipts:
        if isinstance(receipt, OddsReceipt):
            nonces[receipt.proof.commitment].append(receipt.proof.nonce)
    known: set[str] = set()
    for place, pair in enumerate(history.pairs):
        name = f"seed_pairs[{place}]"
        if pair.commitment in known:
            yield Mismatch(
                f"{name}.commitment", "one that stands in no other pair", "one that does"
            )
        known.add(pair.commitment)
        yield from _check_nonces(pair, sorted(nonces[pair.commitment]), name=name)
        yield from _check_reveal(pair, name=name, judged_at=judged_at)
    keys = {pair.commitment: pair.user_key for pair in history.pairs}
    user_keys = set(keys.values())
    for place, receipt in enumerate(history.receipts):
        name, proof = f"receipts[{place}].proof", receipt.proof
        if isinstance(receipt, OddsReceipt) and proof.commitment not in keys:
            yield Mismatch(f"{name}.commitment", "that of one of the seed pairs", proof.commitment)
        elif keys.get(proof.commitment, proof.user_key) != proof.user_key:
            yield Mismatch(f"{name}.user_key", keys[proof.commitment], proof.user_key)
        elif proof.user_key not in user_keys:
            yield Mismatch(f"{name}.user_key", "that of one of the seed pairs", proof.user_key)


def check_receipts(history: History, configs: PublishedConfigs) -> Iterator[Mismatch]:
    """Every receipt for itself, and that it has the seed which its pair has."""
    seeds = {pair.commitment: pair.server_seed for pair in history.pairs}
    seen: dict[str, int] = {}
    for place, receipt in enumerate(history.receipts):
        name, proof = f"receipts[{place}]", receipt.proof
        if receipt.id in seen:
            yield Mismatch(
                f"{name}.id", "an id of its own", f"that of receipts[{seen[receipt.id]}]"
            )
        seen.setdefault(receipt.id, place)
        if seeds.get(proof.commitment, receipt.server_seed) != receipt.server_seed:
            wanted, found = seeds[proof.commitment], receipt.server_seed
            yield Mismatch(f"{name}.server_seed", str(wanted or "null"), str(found or "null"))
        config = configs.find(proof.config_hash)
        found_here = check_commitment(receipt)
        if config is not None:
            found_here += check_terms(receipt, config) + check_draws(receipt, config)
        for each in found_here:
            yield Mismatch(f"{name}.{each.field}", each.expected, each.found)
    yield from configs.mismatches.values()


def walk_user(
    files: LogFiles,
    checkpoint: Checkpoint,
    user_keys: Collection[str],
    *,
    judged_at: datetime | None = None,
) -> LoggedUser:
    """Hold every leaf under these keys against the laws, and draw again what is revealed.

    Lots are replayed whole: what a number took depends on everybody's draws before it. Copies in
    stock are not counted, as that takes everybody's openings; ``audits`` does. Promises are held
    against the log at ``judged_at``, at the latest of the leaves that were read if None.
    Raises ``CouldNotLook``, and ``Differs`` when a leaf is out of form.
    """
    keys = "|".join(sorted(user_keys)).encode()
    about = re.compile(_SHARED + rb'|"user_key":"(?:' + keys + rb')"')
    leaves = list(list_leaves(files, checkpoint, about=about))
    revealed = {
        leaf.commitment: leaf
        for _, leaf in leaves
        if isinstance(leaf, SeedRevealed | LotClosed)
        and commitment_to(bytes.fromhex(leaf.server_seed)).hex() == leaf.commitment
    }
    seeds = {key: bytes.fromhex(leaf.server_seed) for key, leaf in revealed.items()}
    laws = LogLaws(files, seeds=seeds, counts_stock=False)
    checker = BundleChecker(files, size=checkpoint.size, seeds=seeds)
    openings: dict[str, tuple[int, Opened]] = {}
    mismatches: list[tuple[int, Mismatch]] = []
    missing = set(user_keys)
    redrawn = waiting = 0
    for position, leaf in leaves:
        mismatches += [(position, each) for each in laws.walk(position, leaf)]
        if isinstance(leaf, SeedCommitted):
            missing.discard(leaf.user_key)
        if isinstance(leaf, Opened) and leaf.user_key in user_keys:
            openings[leaf.opening] = position, leaf
            if isinstance(leaf, PackOpened):
                is_redrawn = checker.check_draws(position, leaf, mismatches)
            else:
                is_redrawn = _is_revealed(leaf, laws)
            redrawn += is_redrawn
            waiting += not is_redrawn
    latest = judged_at or max((leaf.at for _, leaf in leaves), default=None)
    if latest is not None:
        mismatches += laws.list_broken_promises(latest)
    mismatches.sort(key=lambda each: each[0])
    if laws.unseen and not mismatches:
        raise CouldNotLook(laws.unseen[0])
    return LoggedUser(
        openings=openings,
        revealed=revealed,
        redrawn=redrawn,
        waiting=waiting,
        mismatches=[each for _, each in mismatches]
        + [
            Mismatch(f"user key {key}", "its seed.committed leaf", "none")
            for key in sorted(missing)
        ],
    )


def complete_history(history: History, logged: LoggedUser) -> History:
    """The history with the seeds that the log has revealed since it was handed out."""
    return History(
        pairs=tuple(_complete_pair(pair, logged) for pair in history.pairs),
        receipts=tuple(_complete_receipt(receipt, logged) for receipt in history.receipts),
        hashes=history.hashes,
    )


def check_history_logged(history: History, logged: LoggedUser) -> Iterator[Mismatch]:
    """The log has exactly these receipts and these reveals."""
    left = dict(logged.openings)
    for place, (receipt, receipt_hash) in enumerate(
        zip(history.receipts, history.hashes, strict=True)
    ):
        position, leaf = left.pop(receipt.id, (None, None))
        if leaf is None:
            wanted = "a leaf in the log with its id, under a key of the seed pairs"
            yield Mismatch(f"receipts[{place}]", wanted, f"none for {receipt.id}")
            continue
        yield from check_logged(receipt, receipt_hash, leaf, at=f"leaves[{position}]")
    for position, leaf in left.values():
        wanted = f"a receipt of {leaf.opening}, as in leaves[{position}]"
        yield Mismatch("receipts", wanted, "none")
    for place, pair in enumerate(history.pairs):
        if pair.server_seed is not None and pair.commitment not in logged.revealed:
            yield Mismatch(f"seed_pairs[{place}]", "not revealed, as in the log", "revealed")


def _complete_pair(pair: HistoricPair, logged: LoggedUser) -> HistoricPair:
    leaf = logged.revealed.get(pair.commitment)
    if pair.server_seed is not None or not isinstance(leaf, SeedRevealed):
        return pair
    return msgspec.structs.replace(
        pair, revealed_at=leaf.at, server_seed=leaf.server_seed, openings=leaf.openings
    )


def _complete_receipt(receipt: Receipt, logged: LoggedUser) -> Receipt:
    leaf = logged.revealed.get(receipt.proof.commitment)
    if receipt.server_seed is not None or leaf is None:
        return receipt
    return msgspec.structs.replace(receipt, server_seed=leaf.server_seed)


def _check_nonces(pair: HistoricPair, nonces: list[int], *, name: str) -> Iterator[Mismatch]:
    if nonces != list(range(len(nonces))):
        gap = next(place for place, nonce in enumerate(nonces) if place != nonce)
        wanted = f"one receipt with each nonce from 0 to {nonces[-1]}"
        found = f"{nonces[gap]} where {gap} should be"
        yield Mismatch(f"{name}, its receipts", wanted, found)
    if pair.openings is not None and pair.openings != len(nonces):
        yield Mismatch(
            f"{name}.openings", f"{len(nonces)}, the number of receipts", str(pair.openings)
        )
    if (pair.server_seed is None) != (pair.openings is None):
        wanted = "a number when the seed is revealed, else null"
        yield Mismatch(f"{name}.openings", wanted, str(pair.openings))


def _check_reveal(pair: HistoricPair, *, name: str, judged_at: datetime) -> Iterator[Mismatch]:
    if pair.server_seed is not None:
        found = commitment_to(bytes.fromhex(pair.server_seed)).hex()
        if found != pair.commitment:
            wanted = f"a seed with the SHA-256 {pair.commitment}"
            yield Mismatch(f"{name}.server_seed", wanted, f"{pair.server_seed} with {found}")
    if pair.first_used_at is None:
        return
    due = pair.first_used_at + REVEALED_WITHIN
    if (pair.revealed_at or judged_at) > due:
        wanted = f"at the latest {due.isoformat()}, 7 days after the first use"
        found = f"null at {judged_at.isoformat()}"
        if pair.revealed_at is not None:
            found = pair.revealed_at.isoformat()
        yield Mismatch(f"{name}.revealed_at", wanted, found)


def _is_revealed(leaf: LotOpened, laws: LogLaws) -> bool:
    lot = laws.lots.get(leaf.config_hash)
    return lot is not None and lot.seed is not None
