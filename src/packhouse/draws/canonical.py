"""Canonical bytes: RFC 8785 JSON of what is hashed, so that anyone hashes the same."""

import hashlib

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
    """The RFC 8785 JSON of one line of a lot's manifest.

    Sorted JSON is the same for it, and thirty times as fast: a manifest may have millions of lines.
    """
    return msgspec.json.encode(item, order="sorted")
