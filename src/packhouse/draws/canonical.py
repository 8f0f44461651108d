"""Canonical bytes: RFC 8785 JSON and RFC 6962 Merkle trees, so that anyone hashes the same."""

import hashlib
from collections.abc import Sequence

import msgspec
import rfc8785

from packhouse.draws.model import LotItem, PackConfig


def canonical_config(config: PackConfig) -> bytes:
    """The RFC 8785 JSON of a configuration: these bytes are stored, hashed and published."""
    return rfc8785.dumps(msgspec.to_builtins(config))


def parse_config(text: str | bytes) -> PackConfig:
    """A configuration from its JSON. Raises ``msgspec.ValidationError``."""
    return msgspec.json.decode(text, type=PackConfig)


def hash_of(canonical: bytes) -> bytes:
    """``config_hash``: SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical).digest()


def manifest_leaf(item: LotItem) -> bytes:
    """The RFC 8785 JSON of one line of a lot's manifest."""
    return rfc8785.dumps(msgspec.to_builtins(item))


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The RFC 6962 (section 2.1) Merkle tree hash of the leaves, in order."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(
        b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])
    ).digest()
