"""What a pack holds, from its published version, the seed pair, the nonce and the client seed.

The rules are those of docs/fairness.md.
"""

import hashlib
import hmac
import struct
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from settings import SEED_KEY

Json = dict[str, Any]

TAG = b"packhouse/draw/1"
MESSAGE = struct.Struct(">16s32s16sQI32s")
WORDS = struct.Struct(">4Q")
WORD_SPAN = 2**64
SEAL = AESGCM(SEED_KEY)


@dataclass(frozen=True, slots=True)
class Weights:
    """Running sums of weights."""

    bounds: list[int]

    @classmethod
    def of(cls, weighted: list[Json]) -> "Weights":
        return cls(list(accumulate(each["weight"] for each in weighted)))

    def choice_of(self, number: int) -> int:
        return bisect_right(self.bounds, number)


@dataclass(frozen=True, slots=True)
class CompiledSlot:
    """One card of a layout."""

    slot: Json
    tiers: Weights
    cards: list[Weights]


class CompiledConfig:
    """A published version with its running sums made once."""

    def __init__(self, config: Json, config_hash: bytes) -> None:
        self.config = config
        self.config_hash = config_hash
        self.layouts = Weights.of(config["layouts"])
        self.slots = [
            [
                CompiledSlot(
                    slot,
                    Weights.of(slot["odds"]),
                    [Weights.of(tier["cards"]) for tier in slot["odds"]],
                )
                for slot in layout["slots"]
                for _ in range(slot["count"])
            ]
            for layout in config["layouts"]
        ]


@dataclass(frozen=True, slots=True)
class DrawnCard:
    """One card with the tickets that selected it."""

    slot: str
    tier: str
    card: UUID
    value: int
    physical: bool
    tier_ticket: Json
    card_ticket: Json


@dataclass(frozen=True, slots=True)
class Drawn:
    """One pack as it was drawn."""

    nonce: int
    layout: str
    layout_ticket: Json
    cards: list[DrawnCard]


def decide(
    compiled: CompiledConfig, *, server_seed: bytes, user_key: bytes, nonce: int, client_seed: str
) -> Drawn:
    """The layout and the cards of one opening."""
    client_seed_hash = hashlib.sha256(client_seed.encode()).digest()

    def draw(weights: Weights, index: int) -> Json:
        of = weights.bounds[-1]
        message = MESSAGE.pack(TAG, compiled.config_hash, user_key, nonce, index, client_seed_hash)
        return {"number": ticket_below(of, server_seed, message), "of": of}

    layout_ticket = draw(compiled.layouts, 0)
    which = compiled.layouts.choice_of(layout_ticket["number"])
    cards = []
    for index, each in enumerate(compiled.slots[which]):
        tier_ticket = draw(each.tiers, 1 + 2 * index)
        tier_index = each.tiers.choice_of(tier_ticket["number"])
        table = each.cards[tier_index]
        card_ticket = draw(table, 2 + 2 * index)
        tier = each.slot["odds"][tier_index]
        card = tier["cards"][table.choice_of(card_ticket["number"])]
        cards.append(
            DrawnCard(
                slot=each.slot["name"],
                tier=tier["tier"],
                card=UUID(card["card"]),
                value=card["value"],
                physical=card["physical"],
                tier_ticket=tier_ticket,
                card_ticket=card_ticket,
            )
        )
    return Drawn(nonce, compiled.config["layouts"][which]["name"], layout_ticket, cards)


def ticket_below(of: int, seed: bytes, message: bytes) -> int:
    """A uniform integer below ``of``, by rejection."""
    if of == 1:
        return 0
    accepted_below = WORD_SPAN - WORD_SPAN % of
    counter = 0
    while True:
        block = hmac.digest(seed, message + counter.to_bytes(4), "sha256")
        for word in WORDS.unpack(block):
            if word < accepted_below:
                return word % of
        counter += 1


def unseal(sealed: bytes, pair_id: UUID) -> bytes:
    """A server seed as it was before it was sealed."""
    return SEAL.decrypt(sealed[:12], sealed[12:], pair_id.bytes)
