"""Leaves: what stands in the public draw log, as ``docs/fairness.md`` has it, byte for byte.

The struct of a leaf has the log's names for its fields; bytes are hexadecimal. No leaf has a name,
an address or a user's id: a user key stands for somebody, and changes with every seed pair.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from packhouse.foundation.errors import Breach
from packhouse.foundation.events import (
    CardCopies,
    LotClosed,
    LotListed,
    PackPublished,
    PackWithdrawn,
    SeedCommitted,
    SeedRevealed,
    StockAdded,
    StockWithdrawn,
    WaitingEvent,
)
from packhouse.foundation.identifiers import OpeningId
from packhouse.foundation.limits import LOG_LEAF_BYTES_MAX


class SeedCommittedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="seed.committed"):
    """A seed pair was made."""

    at: datetime
    commitment: str
    user_key: str


class SeedRevealedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="seed.revealed"):
    """A seed pair ended after so many ``openings`` of odds packs."""

    at: datetime
    commitment: str
    user_key: str
    server_seed: str
    openings: int


class PackPublishedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="pack.published"):
    """A version went on sale."""

    at: datetime
    slug: str
    number: int
    config_hash: str


class PackWithdrawnLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="pack.withdrawn"):
    """A version went off sale for good."""

    at: datetime
    slug: str
    config_hash: str


class LotListedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="lot.listed"):
    """A lot went on sale with ``size`` draws."""

    at: datetime
    config_hash: str
    manifest_root: str
    commitment: str
    size: int


class LotClosedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="lot.closed"):
    """A lot ended after so many ``draws``."""

    at: datetime
    manifest_root: str
    commitment: str
    server_seed: str
    draws: int


class PackOpenedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="pack.opened"):
    """An odds pack was opened.

    ``tickets`` are the numbers of its draws: layout, then tier and card of each place; ``paid_out``
    are the places whose value was credited for want of a copy.
    """

    at: datetime
    opening: OpeningId
    receipt_hash: str
    config_hash: str
    commitment: str
    user_key: str
    nonce: int
    client_seed_hash: str
    tickets: tuple[int, ...]
    cards: tuple[UUID, ...]
    paid_out: tuple[int, ...]


class LotOpenedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="lot.opened"):
    """A pack of a lot was opened; ``draw`` is the number of its first draw in the lot."""

    at: datetime
    opening: OpeningId
    receipt_hash: str
    config_hash: str
    manifest_root: str
    user_key: str
    client_seed_hash: str
    draw: int
    tickets: tuple[int, ...]
    cards: tuple[UUID, ...]


class StockAddedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="stock.added"):
    """Copies came on sale for odds packs."""

    at: datetime
    cards: tuple[CardCopies, ...]


class StockWithdrawnLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="stock.withdrawn"):
    """Copies left the sale for odds packs, other than by a draw."""

    at: datetime
    cards: tuple[CardCopies, ...]


class StockExhaustedLeaf(msgspec.Struct, frozen=True, tag_field="kind", tag="stock.exhausted"):
    """A card was drawn and no copy was there."""

    at: datetime
    card: UUID


Leaf = (
    SeedCommittedLeaf
    | SeedRevealedLeaf
    | PackPublishedLeaf
    | PackWithdrawnLeaf
    | LotListedLeaf
    | LotClosedLeaf
    | PackOpenedLeaf
    | LotOpenedLeaf
    | StockAddedLeaf
    | StockWithdrawnLeaf
    | StockExhaustedLeaf
)


def canonical_json(value: msgspec.Struct) -> bytes:
    """The RFC 8785 JSON of a struct whose names are ASCII and whose numbers are whole, below 2^53.

    For these sorted JSON is canonical, and much faster than an encoder that knows every case.
    """
    return msgspec.json.encode(value, order="sorted")


def leaf_bytes(leaf: Leaf) -> bytes:
    """What is hashed and published of a leaf. Raises ``Breach`` when it is too long for its file.

    Its length has two bytes; see ``LOG_LEAF_BYTES_MAX``.
    """
    written = canonical_json(leaf)
    if len(written) > LOG_LEAF_BYTES_MAX:
        raise Breach(
            f"A leaf of {len(written):,} bytes ({type(leaf).__name__}) is longer than the draw"
            f" log takes, {LOG_LEAF_BYTES_MAX:,}."
        )
    return written


def leaf_of_event(waiting: WaitingEvent) -> Leaf | None:
    """The leaf of an event that tells all of it; None for one that is no matter of the log.

    An opening's leaf comes from its receipt.
    """
    event, at = waiting.event, waiting.created_at
    match event:
        case SeedCommitted():
            return SeedCommittedLeaf(at, event.commitment, event.user_key)
        case SeedRevealed():
            return SeedRevealedLeaf(
                at, event.commitment, event.user_key, event.server_seed, event.openings
            )
        case PackPublished():
            return PackPublishedLeaf(at, event.slug, event.number, event.config_hash)
        case PackWithdrawn():
            return PackWithdrawnLeaf(at, event.slug, event.config_hash)
        case LotListed():
            return LotListedLeaf(
                at, event.config_hash, event.manifest_root, event.commitment, event.size
            )
        case LotClosed():
            return LotClosedLeaf(
                at, event.manifest_root, event.commitment, event.server_seed, event.draws
            )
        case StockAdded():
            return StockAddedLeaf(at, event.cards)
        case StockWithdrawn():
            return StockWithdrawnLeaf(at, event.cards)
    return None
