"""Checkpoints as signed notes (C2SP signed-note and tlog-checkpoint), with Ed25519.

A note is a text and the lines of its signatures. Everybody who keeps the log's verifier key can see
that a checkpoint is the shop's, and show the world two that do not fit together.
"""

import base64
import hashlib
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from packhouse.foundation.errors import Breach

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4


class SignedTree(msgspec.Struct, frozen=True):
    """What a checkpoint says: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes


class NoteSigner:
    """Signs in the name of one log; ``private_key`` is 32 bytes of Ed25519."""

    def __init__(self, origin: str, private_key: bytes) -> None:
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        typed_key = ED25519 + self._key.public_key().public_bytes_raw()
        self._key_id = key_id(origin, typed_key)
        self.verifier_key = f"{origin}+{self._key_id.hex()}+{base64.b64encode(typed_key).decode()}"
        """``NAME+ID+KEY``, what a verifier checks our notes with."""

    def sign(self, text: str) -> str:
        """The note of a text that ends with a line's end."""
        signature = base64.b64encode(self._key_id + self._key.sign(text.encode())).decode()
        return f"{text}\n— {self.origin} {signature}\n"

    def sign_tree(self, *, size: int, root: bytes) -> str:
        """The checkpoint of a tree."""
        return self.sign(f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n")


def key_id(name: str, typed_key: bytes) -> bytes:
    """The beginning of a hash that tells keys apart; ``typed_key`` begins with its algorithm."""
    return hashlib.sha256(name.encode() + b"\n" + typed_key).digest()[:KEY_ID_BYTES]


def open_note(note: str, verifier_key: str) -> str:
    """The text of a note whose signature is good. Raises ``Breach``."""
    text, signatures = split_note(note)
    try:
        name, shown_id, key = verifier_key.split("+", 2)
        typed_key = base64.b64decode(key, validate=True)
        if typed_key[:1] != ED25519 or key_id(name, typed_key).hex() != shown_id:
            raise ValueError
        public_key = Ed25519PublicKey.from_public_bytes(typed_key[1:])
    except ValueError as error:
        raise Breach(f"{verifier_key} is no verifier key of Ed25519.") from error
    for line in signatures.splitlines():
        signer, _, signature = line.removeprefix("— ").rpartition(" ")
        try:
            signed = base64.b64decode(signature, validate=True)
            if signer == name and signed[:KEY_ID_BYTES].hex() == shown_id:
                public_key.verify(signed[KEY_ID_BYTES:], text.encode())
                return text
        except (ValueError, InvalidSignature) as error:
            raise Breach(f"The signature of {name} on a note does not fit its text.") from error
    raise Breach(f"A note has no signature of {verifier_key}.")


def read_tree(note: str) -> SignedTree:
    """What a checkpoint says, whoever signed it. Raises ``Breach``."""
    try:
        origin, size, root = split_note(note)[0].splitlines()
        return SignedTree(origin, int(size), base64.b64decode(root, validate=True))
    except ValueError as error:
        raise Breach("A checkpoint of the draw log is no checkpoint.") from error


def split_note(note: str) -> tuple[str, str]:
    """Text and signature lines; the text ends with a line's end. Raises ``Breach``."""
    text, gap, signatures = note.rpartition("\n\n")
    if not gap:
        raise Breach("A note of the draw log has no signatures.")
    return f"{text}\n", signatures
