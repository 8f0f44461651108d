"""Seed pairs: the server's secret, committed to before use, and the collector's own seed.

Whoever holds a server seed can foresee the draws under it; it is therefore sealed at rest and only
opened to decide an opening or to reveal it.
"""

from datetime import datetime
from typing import Literal

import msgspec

from packhouse.draws.tickets import commitment_to
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.identifiers import SeedPairId, UserId, new_id
from packhouse.foundation.limits import CLIENT_SEED_LENGTH_MAX
from packhouse.plumbing.entropy import Entropy
from packhouse.plumbing.sealing import Seal

SERVER_SEED_BYTES = 32
USER_KEY_BYTES = 16
CLIENT_SEED_BYTES = 16

ClientSeedOrigin = Literal["request", "stored"]


class NewSeedPair(msgspec.Struct, frozen=True):
    """A seed pair as it is first written."""

    user_id: UserId
    id: SeedPairId
    sealed_server_seed: bytes
    commitment: bytes
    user_key: bytes
    client_seed: str
    created_at: datetime


class SeedPair(msgspec.Struct, frozen=True):
    """A seed pair as its owner may see it; ``server_seed`` once it is revealed."""

    id: SeedPairId
    commitment: bytes
    user_key: bytes
    client_seed: str
    created_at: datetime
    first_used_at: datetime | None
    revealed_at: datetime | None
    server_seed: bytes | None
    openings: int | None


def new_seed_pair(
    user_id: UserId,
    entropy: Entropy,
    seal: Seal,
    now: datetime,
    *,
    client_seed: str | None = None,
) -> NewSeedPair:
    """A fresh pair: secret, commitment, and a random key that stands for the user in public.

    The key is new with each pair, so that the public log does not add up one person's spending.
    """
    pair_id = SeedPairId(new_id())
    server_seed = entropy(SERVER_SEED_BYTES)
    return NewSeedPair(
        user_id=user_id,
        id=pair_id,
        sealed_server_seed=seal.close(server_seed, context=pair_id.bytes),
        commitment=commitment_to(server_seed),
        user_key=entropy(USER_KEY_BYTES),
        client_seed=client_seed if client_seed is not None else entropy(CLIENT_SEED_BYTES).hex(),
        created_at=now,
    )


def require_client_seed(client_seed: str) -> str:
    """Any visible text of 1 to 128 characters. Raises ``InvalidInput``."""
    if 1 <= len(client_seed) <= CLIENT_SEED_LENGTH_MAX and client_seed.isprintable():
        return client_seed
    raise InvalidInput(
        "The client seed does not have the right form.",
        [
            FieldError(
                "client_seed",
                f"1 to {CLIENT_SEED_LENGTH_MAX} visible characters, anything you like.",
            )
        ],
    )
