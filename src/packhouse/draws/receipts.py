"""Receipts: one opening's public, self-contained record, without personal data."""

from datetime import datetime

import msgspec

from packhouse.draws.model import PackKind, Ticket
from packhouse.draws.seeds import ClientSeedOrigin
from packhouse.foundation.cards import CardFace
from packhouse.foundation.identifiers import LotId, OpeningId, UserCardId
from packhouse.foundation.tiers import Tier


class ReceiptPack(msgspec.Struct, frozen=True):
    """Which published version was opened; ``config_hash`` is hexadecimal."""

    slug: str
    name: str
    version: int
    config_hash: str


class ReceiptLot(msgspec.Struct, frozen=True):
    """Which lot was drawn from, and its published root and commitment, hexadecimal."""

    id: LotId
    manifest_root: str
    commitment: str


class ReceiptCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """One card, the numbers that selected it, and whether its value was paid for want of stock.

    An odds pack tells ``slot``, ``tier_ticket`` and ``card_ticket``; a lot tells ``draw`` and
    ``ticket``. The last-one prize of a lot has no ticket: it goes with the last draw.
    """

    user_card_id: UserCardId
    card: CardFace
    tier: Tier
    value: int
    slot: str | None = None
    tier_ticket: Ticket | None = None
    card_ticket: Ticket | None = None
    draw: int | None = None
    ticket: Ticket | None = None
    last_one: bool = False
    paid_out: bool = False


class Proof(msgspec.Struct, frozen=True):
    """What a stranger needs to draw again, once the server seed is revealed. Bytes are hexadecimal.

    ``commitment`` is that of the user's seed pair for an odds pack, of the lot's seed for a lot.
    """

    config_hash: str
    commitment: str
    user_key: str
    nonce: int | None
    client_seed: str
    client_seed_origin: ClientSeedOrigin
    layout: str | None
    layout_ticket: Ticket | None
    lot: ReceiptLot | None


class Receipt(msgspec.Struct, frozen=True):
    """An opening as anyone may read it who has its id."""

    format: str
    id: OpeningId
    kind: PackKind
    pack: ReceiptPack
    price: int
    cards: tuple[ReceiptCard, ...]
    proof: Proof
    created_at: datetime
    server_seed: str | None = None
