"""Signed checkpoints: which tree the log's key stands for.

The forms are C2SP's signed note, with Ed25519 only, and tlog-checkpoint.
"""

import base64
import binascii
import hashlib
import re
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from packhouse.verify.findings import Differs
from packhouse.verify.plain_json import NUMBER_MAX

ED25519: Final = 1
KEY_ID_BYTES: Final = 4
HASH_BYTES: Final = 32
SIGNATURE_LINE: Final = "— "
BODY_LINES: Final = 3
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")


class VerifierKey(msgspec.Struct, frozen=True):
    """The public half of the key that signs checkpoints."""

    name: str
    id: bytes
    public_key: bytes


class Checkpoint(msgspec.Struct, frozen=True):
    """A state of the log: so many leaves, with this root."""

    origin: str
    size: int
    root: bytes


def read_verifier_key(text: str, *, name: str = "the key") -> VerifierKey:
    """``NAME+ID+KEY``, as it is published. Raises ``Differs``."""
    key_name, _, rest = text.removesuffix("\n").partition("+")
    key_id, _, encoded = rest.partition("+")
    content = _plain_base64(encoded)
    if not key_name or content is None or len(content) != 1 + HASH_BYTES or content[0] != ED25519:
        raise Differs(name, expected="NAME+ID+KEY with an Ed25519 key", found=repr(text[:120]))
    true_id = hashlib.sha256(key_name.encode() + b"\n" + content).digest()[:KEY_ID_BYTES]
    if key_id != true_id.hex():
        raise Differs(f"{name}, its id", expected=true_id.hex(), found=key_id[:80])
    return VerifierKey(name=key_name, id=true_id, public_key=content[1:])


def read_checkpoint(
    content: bytes, key: VerifierKey, *, name: str = "the checkpoint"
) -> Checkpoint:
    """What the key signed. Raises ``Differs``.

    Lines of other keys, as witnesses add them, are passed over.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Differs(name, expected="a signed note in UTF-8", found=str(error)) from error
    body, gap, signatures = text.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise Differs(name, expected="a text, an empty line, signatures", found=repr(text[:120]))
    body += "\n"
    _require_signature(body.encode(), signatures.splitlines(), key, name=name)
    return _read_body(body, key, name=name)


def _require_signature(body: bytes, lines: list[str], key: VerifierKey, *, name: str) -> None:
    found = 0
    for line in lines:
        if not line.startswith(SIGNATURE_LINE):
            raise Differs(name, expected="lines of signatures at its end", found=repr(line[:120]))
        key_name, _, encoded = line.removeprefix(SIGNATURE_LINE).partition(" ")
        signature = _plain_base64(encoded)
        if signature is None or len(signature) <= KEY_ID_BYTES:
            raise Differs(f"{name}, a signature", expected="base64", found=repr(encoded[:120]))
        if key_name != key.name or signature[:KEY_ID_BYTES] != key.id:
            continue
        found += 1
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(
                signature[KEY_ID_BYTES:], body
            )
        except InvalidSignature as error:
            wanted = f"one that the key {key.name}+{key.id.hex()} made"
            raise Differs(
                f"{name}, its signature", expected=wanted, found="one that it did not make"
            ) from error
    if found != 1:
        wanted = f"one of the key {key.name}+{key.id.hex()}"
        raise Differs(f"{name}, its signature", expected=wanted, found=str(found or "none"))


def _read_body(body: str, key: VerifierKey, *, name: str) -> Checkpoint:
    lines = body.split("\n")
    # Lines that follow the root are extensions, which tlog-checkpoint allows and nobody reads.
    if len(lines) <= BODY_LINES:
        raise Differs(name, expected="origin, size and root", found=repr(body[:120]))
    origin, size, encoded = lines[:BODY_LINES]
    if origin != key.name:
        raise Differs(f"{name}, its origin", expected=key.name, found=origin[:120])
    if _SIZE.fullmatch(size) is None or int(size) > NUMBER_MAX:
        raise Differs(f"{name}, its size", expected="a whole number", found=repr(size[:80]))
    root = _plain_base64(encoded)
    if root is None or len(root) != HASH_BYTES:
        raise Differs(f"{name}, its root", expected="32 bytes in base64", found=repr(encoded[:80]))
    return Checkpoint(origin=origin, size=int(size), root=root)


def _plain_base64(text: str) -> bytes | None:
    """The bytes, or None when the text is not their one spelling."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == text else None
