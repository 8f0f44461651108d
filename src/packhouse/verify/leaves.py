"""The leaves of the draw log: exactly these fields, in exactly these forms and this spelling.

Fields stand in the order of canonical JSON, so that writing a leaf again gives its bytes when, and
only when, they are its one spelling: no form here lets a character through that could be escaped.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from packhouse.verify.findings import Differs
from packhouse.verify.shapes import Count, Hash, Id, Slug, UserKey, WholeNumber, shape_error

At = Annotated[datetime, msgspec.Meta(tz=True)]


class SeedCommitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A seed pair was made."""

    at: At
    commitment: Hash
    kind: Literal["seed.committed"]
    user_key: UserKey


class SeedRevealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A seed pair ended after so many openings."""

    at: At
    commitment: Hash
    kind: Literal["seed.revealed"]
    openings: WholeNumber
    server_seed: Hash
    user_key: UserKey


class PackPublished(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version went on sale."""

    at: At
    config_hash: Hash
    kind: Literal["pack.published"]
    number: Count
    slug: Slug


class PackWithdrawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version went off sale."""

    at: At
    config_hash: Hash
    kind: Literal["pack.withdrawn"]
    slug: Slug


class LotListed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lot went on sale with so many draws."""

    at: At
    commitment: Hash
    config_hash: Hash
    kind: Literal["lot.listed"]
    manifest_root: Hash
    size: Count


class LotClosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lot ended after so many draws."""

    at: At
    commitment: Hash
    draws: WholeNumber
    kind: Literal["lot.closed"]
    manifest_root: Hash
    server_seed: Hash


class PackOpened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An odds pack was opened."""

    at: At
    cards: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1)]
    client_seed_hash: Hash
    commitment: Hash
    config_hash: Hash
    kind: Literal["pack.opened"]
    nonce: WholeNumber
    opening: Id
    paid_out: tuple[WholeNumber, ...]
    receipt_hash: Hash
    tickets: tuple[WholeNumber, ...]
    user_key: UserKey


class LotOpened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pack of a lot was opened."""

    at: At
    cards: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1)]
    client_seed_hash: Hash
    config_hash: Hash
    draw: WholeNumber
    kind: Literal["lot.opened"]
    manifest_root: Hash
    opening: Id
    receipt_hash: Hash
    tickets: tuple[WholeNumber, ...]
    user_key: UserKey


class CardCopies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many copies of a card."""

    card: Id
    copies: Count


class StockAdded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Copies came on sale for odds packs."""

    at: At
    cards: Annotated[tuple[CardCopies, ...], msgspec.Meta(min_length=1)]
    kind: Literal["stock.added"]


class StockWithdrawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Copies left the sale other than by a draw."""

    at: At
    cards: Annotated[tuple[CardCopies, ...], msgspec.Meta(min_length=1)]
    kind: Literal["stock.withdrawn"]


class StockExhausted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card was drawn and no copy was there."""

    at: At
    card: Id
    kind: Literal["stock.exhausted"]


Leaf: TypeAlias = (
    SeedCommitted
    | SeedRevealed
    | PackPublished
    | PackWithdrawn
    | LotListed
    | LotClosed
    | PackOpened
    | LotOpened
    | StockAdded
    | StockWithdrawn
    | StockExhausted
)


class _AnyLeaf(msgspec.Struct):
    kind: str


_KIND_OF: Final = msgspec.json.Decoder(_AnyLeaf)
_DECODERS: Final[dict[str, msgspec.json.Decoder[Leaf]]] = {
    "seed.committed": msgspec.json.Decoder(SeedCommitted),
    "seed.revealed": msgspec.json.Decoder(SeedRevealed),
    "pack.published": msgspec.json.Decoder(PackPublished),
    "pack.withdrawn": msgspec.json.Decoder(PackWithdrawn),
    "lot.listed": msgspec.json.Decoder(LotListed),
    "lot.closed": msgspec.json.Decoder(LotClosed),
    "pack.opened": msgspec.json.Decoder(PackOpened),
    "lot.opened": msgspec.json.Decoder(LotOpened),
    "stock.added": msgspec.json.Decoder(StockAdded),
    "stock.withdrawn": msgspec.json.Decoder(StockWithdrawn),
    "stock.exhausted": msgspec.json.Decoder(StockExhausted),
}
_WRITE: Final = msgspec.json.Encoder().encode


def leaf_name(position: int) -> str:
    """How messages call the leaf at a position."""
    return f"leaves[{position}]"


def read_leaf(content: bytes, *, position: int) -> Leaf:
    """The leaf in these bytes. Raises ``Differs``."""
    name = leaf_name(position)
    try:
        kind = _KIND_OF.decode(content).kind
        decoder = _DECODERS.get(kind)
        if decoder is None:
            raise Differs(f"{name}.kind", expected="a kind of leaf", found=repr(kind[:80]))
        leaf = decoder.decode(content)
    except msgspec.ValidationError as error:
        raise shape_error(error, name=name) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Differs(name, expected="JSON", found=str(error)) from error
    if _WRITE(leaf) != content:
        expected = "RFC 8785 canonical JSON"
        raise Differs(name, expected=expected, found="the same in another spelling")
    return leaf
