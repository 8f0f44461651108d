"""A draw log as the files of a mirror, made from its leaves: tiles, bundles, a signed checkpoint.

Written from ``docs/fairness.md`` for tests alone, so that a verifier is not tried against the
shop's own way of writing them.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN: Final = "shop.example/log"
TILE_WIDTH: Final = 256
SIGNING_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
OTHER_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(96, 128)))
_ED25519: Final = b"\x01"


def log_files(
    leaves: Sequence[bytes],
    *,
    configs: Mapping[str, bytes],
    manifests: Mapping[str, bytes],
    openings: Mapping[str, int] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Every file of a mirror, by its path."""
    hashes = [leaf_hash(leaf) for leaf in leaves]
    for number, start in enumerate(range(0, len(leaves), TILE_WIDTH)):
        bundle = leaves[start : start + TILE_WIDTH]
        content = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in bundle)
        yield tile_path("entries", number, width=len(bundle)), content
    yield from _hash_tiles(hashes)
    yield "checkpoint", checkpoint_note(len(leaves), root_over(hashes))
    yield "key", (verifier_key() + "\n").encode()
    for config_hash, config in configs.items():
        yield f"configs/{config_hash}.json", config
    for root, manifest in manifests.items():
        yield f"manifests/{root}.jsonl", manifest
    for opening, position in (openings or {}).items():
        yield f"openings/{opening}", f'{{"position":{position}}}'.encode()


def write_files(folder: Path, files: Iterator[tuple[str, bytes]]) -> Path:
    """Lay the files out below ``folder``."""
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def tile_path(level: int | str, number: int, *, width: int = TILE_WIDTH) -> str:
    """``tile/0/x001/234`` for number 1234, with its width behind it when it is not full."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    path = f"tile/{level}/{'/'.join(groups)}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def leaf_hash(leaf: bytes) -> bytes:
    """A leaf's hash."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def root_over(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, as RFC 6962 tells it from above."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    both = root_over(hashes[:split]) + root_over(hashes[split:])
    return hashlib.sha256(b"\x01" + both).digest()


def checkpoint_note(
    size: int,
    root: bytes,
    *,
    origin: str = ORIGIN,
    key: Ed25519PrivateKey = SIGNING_KEY,
    key_name: str = ORIGIN,
) -> bytes:
    """A signed checkpoint."""
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = base64.b64encode(_key_id(key, key_name) + key.sign(body.encode())).decode()
    return f"{body}\n— {key_name} {signature}\n".encode()


def verifier_key(key: Ed25519PrivateKey = SIGNING_KEY, *, name: str = ORIGIN) -> str:
    """``NAME+ID+KEY``."""
    public = base64.b64encode(_ED25519 + key.public_key().public_bytes_raw()).decode()
    return f"{name}+{_key_id(key, name).hex()}+{public}"


def _key_id(key: Ed25519PrivateKey, name: str) -> bytes:
    public = key.public_key().public_bytes_raw()
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _hash_tiles(hashes: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    level, row = 0, list(hashes)
    while row:
        tiles = [row[start : start + TILE_WIDTH] for start in range(0, len(row), TILE_WIDTH)]
        for number, tile in enumerate(tiles):
            yield tile_path(level, number, width=len(tile)), b"".join(tile)
        row = [root_over(tile) for tile in tiles if len(tile) == TILE_WIDTH]
        level += 1
