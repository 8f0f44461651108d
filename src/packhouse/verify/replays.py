"""One lot, replayed from the log: every advertised prize was there and left at most once."""

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from packhouse.verify.configs import LotTerms, Prize, PublishedConfig, read_config
from packhouse.verify.drawing import commitment_to
from packhouse.verify.findings import Mismatch
from packhouse.verify.leaves import LotClosed, LotListed, LotOpened, leaf_name
from packhouse.verify.logged import list_leaves
from packhouse.verify.lots import ListedLot
from packhouse.verify.manifests import check_manifest, list_prizes
from packhouse.verify.notes import Checkpoint
from packhouse.verify.tiles import LogFiles


class LotReplay(msgspec.Struct, frozen=True):
    """What became of a lot; ``manifest`` are the bytes of its manifest's file."""

    config: PublishedConfig
    lot: ListedLot
    manifest: bytes
    mismatches: list[Mismatch]

    def list_left(self) -> Iterator[tuple[Prize, int]]:
        """The prizes that nobody drew, and how often."""
        prizes = list_prizes(self.lot.terms)
        left = Counter(prizes[position] for position in self.lot.remaining)
        yield from left.items()


def replay_listed_lot(
    files: LogFiles,
    checkpoint: Checkpoint,
    *,
    manifest_root: str,
    config_hash: str | None = None,
    manifest: bytes | None = None,
) -> LotReplay | None:
    """Replay the lot with this manifest; None when the log never listed it.

    ``config_hash`` says which, should the manifest have been listed again; the last one otherwise.
    ``manifest`` is its file, read beside the log if None. Raises ``Differs``, ``CouldNotLook``.
    """
    about = re.compile(rb'"kind":"lot\.[a-z]+","manifest_root":"' + manifest_root.encode())
    leaves = list(list_leaves(files, checkpoint, about=about))
    listed = [
        (position, leaf)
        for position, leaf in leaves
        if isinstance(leaf, LotListed) and config_hash in {None, leaf.config_hash}
    ]
    if not listed:
        return None
    listed_in, first = listed[-1]
    name = f"configs/{first.config_hash}.json"
    config = read_config(files.read(name), config_hash=first.config_hash)
    if not isinstance(config.terms, LotTerms):
        return None
    terms = config.terms.lot
    seed = next(
        (
            bytes.fromhex(leaf.server_seed)
            for _, leaf in leaves
            if isinstance(leaf, LotClosed)
            and leaf.commitment == terms.commitment
            and commitment_to(bytes.fromhex(leaf.server_seed)).hex() == terms.commitment
        ),
        None,
    )
    lot = ListedLot(listed_in, first, terms, seed=seed)
    mismatches = list(lot.check_listing())
    file_name = f"manifests/{terms.manifest_root}.jsonl"
    content = files.read(file_name) if manifest is None else manifest
    mismatches += check_manifest(content, terms, name=file_name)
    for position, leaf in leaves:
        if isinstance(leaf, LotOpened) and leaf.config_hash == first.config_hash:
            if position < listed_in:
                wanted = f"a leaf behind {leaf_name(listed_in)}, which lists the lot"
                mismatches.append(Mismatch(leaf_name(position), wanted, "one before it"))
            mismatches += lot.open(position, leaf)
        if isinstance(leaf, LotClosed) and leaf.commitment == terms.commitment:
            if seed is None:
                wanted = f"a seed with the SHA-256 {terms.commitment}"
                field = f"{leaf_name(position)}.server_seed"
                mismatches.append(Mismatch(field, wanted, leaf.server_seed))
            mismatches += lot.close(position, leaf)
    return LotReplay(config=config, lot=lot, manifest=content, mismatches=mismatches)
