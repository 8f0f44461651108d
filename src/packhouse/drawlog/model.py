"""What the draw log keeps beside its leaves."""

from datetime import datetime

import msgspec


class Checkpoint(msgspec.Struct, frozen=True):
    """A signed statement that the log's first ``size`` leaves are these; ``note`` has the bytes.

    ``verifier_key`` is the public key of that very signature.
    """

    size: int
    note: str
    verifier_key: str
    created_at: datetime
