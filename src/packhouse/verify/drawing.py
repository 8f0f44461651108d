"""Drawing again, as ``docs/fairness.md`` tells it."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from packhouse.verify.configs import PublishedConfig

ODDS_TAG: Final = b"packhouse/draw/1"
LOT_TAG: Final = b"packhouse/lot/01"
WORD_BYTES: Final = 8
WORDS_SPAN: Final = 2**64


class DrawnNumber(msgspec.Struct, frozen=True):
    """A number, and out of how many."""

    number: int
    of: int


class PackCard(msgspec.Struct, frozen=True):
    """A card that came out, and the two numbers that selected it."""

    slot: str
    tier: str
    card: str
    value: int
    physical: bool
    tier_ticket: DrawnNumber
    card_ticket: DrawnNumber


class DrawnPack(msgspec.Struct, frozen=True):
    """What an odds pack holds."""

    layout: str
    layout_ticket: DrawnNumber
    cards: tuple[PackCard, ...]


class LotEntry(msgspec.Struct, frozen=True):
    """Who drew: the key (16 bytes) and the client seed behind one draw of a lot."""

    user_key: bytes
    client_seed: str


def commitment_to(server_seed: bytes) -> bytes:
    """What was shown before the draws: SHA-256 of the seed."""
    return hashlib.sha256(server_seed).digest()


def hash_of_client_seed(client_seed: str) -> bytes:
    """SHA-256 of the seed's UTF-8."""
    return hashlib.sha256(client_seed.encode("utf-8")).digest()


def odds_message(
    *, config_hash: bytes, user_key: bytes, nonce: int, draw_index: int, client_seed_hash: bytes
) -> bytes:
    """The 108 bytes of one draw of an odds pack."""
    numbers = nonce.to_bytes(8, "big") + draw_index.to_bytes(4, "big")
    return ODDS_TAG + config_hash + user_key + numbers + client_seed_hash


def lot_message(
    *, manifest_root: bytes, draw: int, user_key: bytes, client_seed_hash: bytes
) -> bytes:
    """The 104 bytes of one draw of a lot."""
    return LOT_TAG + manifest_root + draw.to_bytes(8, "big") + user_key + client_seed_hash


def ticket_below(n: int, *, seed: bytes, message: bytes) -> int:
    """The number of a message: uniform in 0 … n - 1, for n from 1 to 2^64."""
    too_high = WORDS_SPAN // n * n
    counter = 0
    while True:
        block = hmac.digest(seed, message + counter.to_bytes(4, "big"), "sha256")
        for start in range(0, len(block), WORD_BYTES):
            word = int.from_bytes(block[start : start + WORD_BYTES], "big")
            if word < too_high:
                return word % n
        counter += 1


def draw_pack(config: PublishedConfig, *, number_of: Callable[[int, int], int]) -> DrawnPack:
    """What the pack holds when draw ``index`` out of ``n`` gives ``number_of(index, n)``."""
    if config.layouts is None:
        raise ValueError("A lot has no layouts to draw from.")
    layout_number = number_of(0, config.layouts.total)
    layout_place = config.layouts.choose(layout_number)
    cards = []
    for i, table in enumerate(config.tables[layout_place]):
        tier_number = number_of(1 + 2 * i, table.tiers.total)
        tier_place = table.tiers.choose(tier_number)
        tier, chooser = table.slot.odds[tier_place], table.cards[tier_place]
        card_number = number_of(2 + 2 * i, chooser.total)
        card = tier.cards[chooser.choose(card_number)]
        cards.append(
            PackCard(
                slot=table.slot.name,
                tier=tier.tier,
                card=card.card,
                value=card.value,
                physical=card.physical,
                tier_ticket=DrawnNumber(tier_number, table.tiers.total),
                card_ticket=DrawnNumber(card_number, chooser.total),
            )
        )
    return DrawnPack(
        layout=config.terms.layouts[layout_place].name,
        layout_ticket=DrawnNumber(layout_number, config.layouts.total),
        cards=tuple(cards),
    )


def lot_ticket(
    *, lot_seed: bytes, manifest_root: bytes, draw: int, remaining: int, entry: LotEntry
) -> int:
    """Which of the ``remaining`` items draw number ``draw`` takes, counted from 0."""
    message = lot_message(
        manifest_root=manifest_root,
        draw=draw,
        user_key=entry.user_key,
        client_seed_hash=hash_of_client_seed(entry.client_seed),
    )
    return ticket_below(remaining, seed=lot_seed, message=message)


def replay_lot(
    *, lot_seed: bytes, manifest_root: bytes, size: int, entries: Sequence[LotEntry]
) -> list[int]:
    """The places in the manifest that the lot's draws took, from draw 0 on."""
    remaining = list(range(size))
    taken = []
    for draw, entry in enumerate(entries):
        number = lot_ticket(
            lot_seed=lot_seed,
            manifest_root=manifest_root,
            draw=draw,
            remaining=len(remaining),
            entry=entry,
        )
        taken.append(remaining.pop(number))
    return taken
