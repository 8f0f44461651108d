"""The Merkle tree hash of RFC 6962, section 2.1."""

import hashlib
from collections.abc import Sequence

_LEAF = b"\x00"
_NODE = b"\x01"


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over ``leaves`` in their order.

    Level by level: neighbours are joined, and one without a neighbour goes up as it is. That is
    the RFC's splitting at the largest power of two, done from below.
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = [hashlib.sha256(_LEAF + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        joined = [
            hashlib.sha256(_NODE + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
    return level[0]
