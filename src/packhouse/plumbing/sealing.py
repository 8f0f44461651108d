"""Sealing: server seeds are encrypted at rest, by a key that only the environment holds.

AES-256-GCM (NIST SP 800-38D) with a fresh 12-byte nonce before the ciphertext. The context (whose
seed it is) is authenticated, so that a sealed seed moved to another row does not open.
"""

from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from packhouse.foundation.errors import Breach
from packhouse.plumbing.entropy import Entropy, system_entropy

_NONCE_BYTES = 12


class SealBroken(Breach):
    """A sealed seed does not open: another key, another row, or changed bytes."""

    code: ClassVar[str] = "seal_broken"


class Seal:
    """Seals and opens short secrets under one 32-byte key."""

    def __init__(self, key: bytes, *, entropy: Entropy = system_entropy) -> None:
        self._cipher = AESGCM(key)
        self._entropy = entropy

    def close(self, plain: bytes, *, context: bytes) -> bytes:
        """The sealed form of ``plain``, bound to ``context``."""
        nonce = self._entropy(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """What ``close`` was given. Raises ``SealBroken``."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:  # ValueError: cut shorter than its nonce
            raise SealBroken(
                "A sealed server seed does not open with PACKHOUSE_SEED_KEY. Was the key replaced?"
                " Put the former one back; sealed seeds cannot be opened without it."
            ) from error
