"""A receipt as a file: exactly these fields, in exactly these forms."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from packhouse.verify.plain_json import parse_plain_json
from packhouse.verify.shapes import (
    Count,
    Hash,
    Id,
    Moment,
    Slug,
    Tier,
    UserKey,
    WholeNumber,
    take_shape,
)

NAME = "the receipt"
CLIENT_SEED_LENGTH_MAX = 128

ClientSeed = Annotated[str, msgspec.Meta(min_length=1, max_length=CLIENT_SEED_LENGTH_MAX)]
Origin = Literal["request", "stored"]


class Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number drawn, and out of how many."""

    number: WholeNumber
    of: Count


class Face(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a card is shown; only its id takes part in a draw."""

    id: Id
    name: str
    set: str
    number: str
    image_url: str | None


class PackName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that was opened."""

    slug: Slug
    name: str
    version: Count
    config_hash: Hash


class OddsCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card of an odds pack; ``paid_out`` is written only when it is true."""

    user_card_id: Id
    card: Face
    tier: Tier
    value: WholeNumber
    slot: str
    tier_ticket: Ticket
    card_ticket: Ticket
    paid_out: bool | UnsetType = UNSET


class LotCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card of a lot: drawn, with ``draw`` and ``ticket``, or the ``last_one`` with neither."""

    user_card_id: Id
    card: Face
    tier: Tier
    value: WholeNumber
    draw: WholeNumber | UnsetType = UNSET
    ticket: Ticket | UnsetType = UNSET
    last_one: bool | UnsetType = UNSET


class LotName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lot that was drawn from."""

    id: Id
    manifest_root: Hash
    commitment: Hash


class OddsProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the draws of an odds pack are made from, all but the server seed."""

    config_hash: Hash
    commitment: Hash
    user_key: UserKey
    nonce: WholeNumber
    client_seed: ClientSeed
    client_seed_origin: Origin
    layout: str
    layout_ticket: Ticket
    lot: None


class LotProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the draws of a lot are made from, all but the lot's seed."""

    config_hash: Hash
    commitment: Hash
    user_key: UserKey
    nonce: None
    client_seed: ClientSeed
    client_seed_origin: Origin
    layout: None
    layout_ticket: None
    lot: LotName


class OddsReceipt(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="odds"
):
    """The receipt of one opened odds pack."""

    format: Literal["packhouse.receipt/1"]
    id: Id
    pack: PackName
    price: WholeNumber
    cards: Annotated[tuple[OddsCard, ...], msgspec.Meta(min_length=1)]
    proof: OddsProof
    created_at: Moment
    server_seed: Hash | None


class LotReceipt(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lot"
):
    """The receipt of one pack of a lot."""

    format: Literal["packhouse.receipt/1"]
    id: Id
    pack: PackName
    price: WholeNumber
    cards: Annotated[tuple[LotCard, ...], msgspec.Meta(min_length=1)]
    proof: LotProof
    created_at: Moment
    server_seed: Hash | None


Receipt: TypeAlias = OddsReceipt | LotReceipt


def read_receipt(content: bytes) -> Receipt:
    """The receipt in a file's bytes. Raises ``Differs``."""
    return receipt_of(parse_plain_json(content, name=NAME), name=NAME)


def receipt_of(tree: object, *, name: str) -> Receipt:
    """The receipt in a tree of JSON. Raises ``Differs``."""
    shape: type[Receipt] = OddsReceipt | LotReceipt  # type: ignore[assignment] # a union is no type
    return take_shape(tree, shape, name=name)
