"""Golden vectors of draws: what the shop's own code gives, for every other code to agree with.

``python -m worlds.draw_vectors`` in ``tests`` prints ``vectors/draws.json``. Bytes are hexadecimal;
numbers that may pass 2^53 are decimal texts; texts that are hashed stand as they are.
"""

import hmac
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from packhouse.draws import (
    PackConfig,
    Receipt,
    canonical_config,
    client_seed_hash,
    commitment_to,
    hash_of,
    mac_under,
    manifest_leaf,
    merkle_root,
    ticket_below,
)
from packhouse.draws.tickets import lot_message, odds_message
from worlds.four_packs import FINITE_LOT, manifest_of
from worlds.veil_draws import (
    CLIENT_SEED,
    CONFIGS,
    LOT_SEED,
    SERVER_SEED,
    USER_KEY,
    lot_draws,
    lot_entries,
    lot_receipt,
    odds_receipt,
    outcome_of,
    user_card_id,
)

Tree = dict[str, Any]

SMALL_TREES = [[bytes([each]) * each for each in range(size)] for size in (0, 1, 2, 3, 4, 5, 7, 8)]


def make_vectors() -> Tree:
    """Everything in ``vectors/draws.json``."""
    return {
        "format": "packhouse.vectors/1",
        "specification": "docs/fairness.md",
        "commitments": [
            {"server_seed": seed.hex(), "commitment": commitment_to(seed).hex()}
            for seed in (SERVER_SEED, LOT_SEED, bytes(32), b"\xff" * 32)
        ],
        "client_seeds": [
            {"client_seed": seed, "client_seed_hash": client_seed_hash(seed).hex()}
            for seed in (CLIENT_SEED, "x", "Ünïcøde 雪 🂡", '"quoted" \\ and / slashed')
        ],
        "messages": _messages(),
        "tickets": _tickets(),
        "configs": {
            name: {
                "canonical": canonical_config(config).decode(),
                "config_hash": hash_of(canonical_config(config)).hex(),
            }
            for name, config in CONFIGS.items()
        },
        "openings": [
            _opening(name, CONFIGS[name], nonce=nonce, client_seed=client_seed)
            for name, nonce, client_seed in _chosen_openings(CONFIGS)
        ],
        "merkle_trees": [
            {"leaves": [leaf.hex() for leaf in leaves], "root": merkle_root(leaves).hex()}
            for leaves in SMALL_TREES
        ],
        "lots": [_lot(CONFIGS["finite lot"])],
        "receipts": _receipts(CONFIGS),
    }


def vectors_text() -> str:
    """The file's text."""
    return json.dumps(make_vectors(), indent=1, ensure_ascii=False) + "\n"


def _messages() -> Tree:
    seed_hash = client_seed_hash(CLIENT_SEED)
    odds = [(0, 0), (7, 16), (2**53 - 1, 40), (2**63 - 1, 2**32 - 1)]
    lots = [0, 39, 2**53 - 1, 2**63 - 1]
    return {
        "odds": [
            {
                "config_hash": (b"\x01" * 32).hex(),
                "user_key": USER_KEY.hex(),
                "nonce": str(nonce),
                "draw_index": draw_index,
                "client_seed": CLIENT_SEED,
                "message": odds_message(
                    config_hash=b"\x01" * 32,
                    user_key=USER_KEY,
                    nonce=nonce,
                    draw_index=draw_index,
                    client_seed_hash=seed_hash,
                ).hex(),
            }
            for nonce, draw_index in odds
        ],
        "lot": [
            {
                "manifest_root": (b"\x02" * 32).hex(),
                "draw": str(draw),
                "user_key": USER_KEY.hex(),
                "client_seed": CLIENT_SEED,
                "message": lot_message(
                    manifest_root=b"\x02" * 32,
                    draw=draw,
                    user_key=USER_KEY,
                    client_seed_hash=seed_hash,
                ).hex(),
            }
            for draw in lots
        ],
    }


def _tickets() -> list[Tree]:
    """Plain ones, and for n = 2^63 + 1, where half of all words are rejected, hard ones."""
    message = odds_message(
        config_hash=b"\x01" * 32,
        user_key=USER_KEY,
        nonce=3,
        draw_index=4,
        client_seed_hash=client_seed_hash(CLIENT_SEED),
    )
    plain = [1, 2, 3, 6, 100, 10_000, 100_000, 10**12, 2**32, 2**53 - 1, 2**63, 2**64 - 1, 2**64]
    half = 2**63 + 1
    cases = [("plain", n, message) for n in plain]
    for rejected in (1, 3, 4, 8):
        wanted = next(
            short
            for short in (number.to_bytes(4, "big") for number in itertools.count())
            if _rejected_before(half, short) == rejected
        )
        cases.append((f"{rejected} words rejected", half, wanted))
    return [
        {
            "name": name,
            "seed": SERVER_SEED.hex(),
            "message": message.hex(),
            "n": str(n),
            "ticket": str(ticket_below(n, mac=mac_under(SERVER_SEED), message=message)),
        }
        for name, n, message in cases
    ]


def _rejected_before(n: int, message: bytes) -> int:
    """How many of a message's words are no ticket below ``n``, if ``n`` fits once below 2^64."""
    words = (
        int.from_bytes(block[start : start + 8], "big")
        for counter in itertools.count()
        for block in [hmac.digest(SERVER_SEED, message + counter.to_bytes(4, "big"), "sha256")]
        for start in range(0, 32, 8)
    )
    return next(place for place, word in enumerate(words) if word < n)


def _chosen_openings(configs: Mapping[str, PackConfig]) -> list[tuple[str, int, str]]:
    one, eight, layouts, _ = configs
    rare = next(
        nonce
        for nonce in itertools.count()
        if outcome_of(configs[layouts], nonce=nonce, client_seed=CLIENT_SEED).layout == "Rare"
    )
    return [
        (one, 0, CLIENT_SEED),
        (one, 1, CLIENT_SEED),
        (one, 2**53 - 1, "雪"),
        (eight, 7, CLIENT_SEED),
        (eight, 8, "another seed"),
        (layouts, 0, CLIENT_SEED),
        (layouts, rare, CLIENT_SEED),
    ]


def _opening(name: str, config: PackConfig, *, nonce: int, client_seed: str) -> Tree:
    outcome = outcome_of(config, nonce=nonce, client_seed=client_seed)
    return {
        "config": name,
        "server_seed": SERVER_SEED.hex(),
        "user_key": USER_KEY.hex(),
        "nonce": nonce,
        "client_seed": client_seed,
        "outcome": msgspec.to_builtins(outcome),
    }


def _lot(config: PackConfig) -> Tree:
    items = manifest_of(FINITE_LOT)
    leaves = [manifest_leaf(item) for item in items]
    return {
        "config": "finite lot",
        "manifest": [msgspec.to_builtins(item) for item in items],
        "leaves": [leaf.decode() for leaf in leaves],
        "manifest_root": merkle_root(leaves).hex(),
        "lot_seed": LOT_SEED.hex(),
        "entries": [
            {"user_key": user_key.hex(), "client_seed": client_seed}
            for user_key, client_seed in lot_entries(config)
        ],
        "draws": [
            {
                "draw": draw.draw,
                "ticket": msgspec.to_builtins(draw.ticket),
                "position": draw.item.position,
            }
            for draw in lot_draws(config)
        ],
    }


def _receipts(configs: Mapping[str, PackConfig]) -> list[Tree]:
    """Receipts with the verdict on each: ``matches``, ``differs`` or ``unrevealed``."""
    one, eight, layouts, lot = configs
    genuine = {
        "one": (one, odds_receipt(configs[one], nonce=0)),
        "eight": (eight, odds_receipt(configs[eight], nonce=7, paid_out=7)),
        "five": (layouts, odds_receipt(configs[layouts], nonce=0)),
        "lot": (lot, lot_receipt(configs[lot], first_draw=6)),
        "last": (lot, lot_receipt(configs[lot], first_draw=38)),
    }
    listed = [
        _case(f"{name}, as it is", config, receipt, verdict="matches")
        for name, (config, receipt) in genuine.items()
    ]
    listed += [
        _case(
            f"{name}, before the reveal",
            config,
            msgspec.structs.replace(receipt, server_seed=None),
            verdict="unrevealed",
        )
        for name, (config, receipt) in genuine.items()
    ]
    for name, path, value, field in FORGERIES:
        config, receipt = genuine[name]
        tree = json.loads(msgspec.json.encode(receipt))
        _place(tree, path, value)
        listed.append(
            {
                "name": f"{name}, {'.'.join(map(str, path))} forged",
                "config": config,
                "receipt": json.dumps(tree, ensure_ascii=False, separators=(",", ":")),
                "verdict": "differs",
                "field": field,
            }
        )
    return listed


GONE = "a field that is gone"
"""Stands in FORGERIES for taking a field away."""

FORGERIES: list[tuple[str, tuple[str | int, ...], Any, str | None]] = [
    ("eight", ("server_seed",), "00" * 32, "server_seed"),
    ("eight", ("proof", "commitment"), "00" * 32, "server_seed"),
    ("eight", ("proof", "nonce"), 8, "cards[0].tier_ticket.number"),
    ("eight", ("proof", "client_seed"), "quiet herons", "cards[0].tier_ticket.number"),
    ("eight", ("proof", "layout"), "Nine cards", "proof.layout"),
    ("eight", ("proof", "layout_ticket", "of"), 2, "proof.layout_ticket.of"),
    ("eight", ("pack", "slug"), "veils", "pack.slug"),
    ("eight", ("pack", "name"), "Vale", "pack.name"),
    ("eight", ("pack", "version"), 2, "pack.version"),
    ("eight", ("pack", "config_hash"), "00" * 32, "pack.config_hash"),
    ("eight", ("price",), 400, "price"),
    ("eight", ("cards", 3, "tier"), "SSS", "cards[3].tier"),
    ("eight", ("cards", 3, "value"), 150_022, "cards[3].value"),
    ("eight", ("cards", 3, "slot"), "Guaranteed hit", "cards[3].slot"),
    ("eight", ("cards", 3, "card", "id"), str(UUID(int=22)), "cards[3].card.id"),
    ("eight", ("cards", 3, "card_ticket", "number"), 99, "cards[3].card_ticket.number"),
    ("eight", ("cards", 3, "card_ticket", "of"), 7, "cards[3].card_ticket.of"),
    ("eight", ("cards", 0, "paid_out"), True, "cards[0].paid_out"),
    ("eight", ("cards", 0, "paid_out"), False, "cards[0].paid_out"),
    ("eight", ("cards", 1, "user_card_id"), str(user_card_id(0)), "cards[1].user_card_id"),
    ("eight", ("cards", 7), GONE, "cards"),
    ("eight", ("cards", 3, "value"), GONE, None),
    ("eight", ("cards", 3, "worth"), 40, None),
    ("eight", ("luck",), 7, None),
    ("eight", ("kind",), "lot", None),
    ("eight", ("format",), "packhouse.receipt/2", None),
    ("eight", ("price",), "500", None),
    ("eight", ("price",), 500.5, None),
    ("eight", ("price",), True, None),
    ("eight", ("price",), -500, None),
    ("eight", ("price",), 2**53, None),
    ("eight", ("proof", "user_key"), USER_KEY.hex().upper(), None),
    ("eight", ("created_at",), "2026-11-22", None),
    ("five", ("cards", 4, "tier_ticket", "number"), 99_999, "cards[4].tier_ticket.number"),
    ("lot", ("server_seed",), "00" * 32, "server_seed"),
    ("lot", ("proof", "lot", "manifest_root"), "00" * 32, "proof.lot.manifest_root"),
    ("lot", ("proof", "lot", "commitment"), "00" * 32, "proof.lot.commitment"),
    ("lot", ("proof", "nonce"), 0, None),
    ("lot", ("cards", 0, "draw"), 7, "cards[0].draw"),
    ("lot", ("cards", 0, "draw"), 40, "cards[0].draw"),
    ("lot", ("cards", 1, "draw"), 8, "cards[1].draw"),
    ("lot", ("cards", 0, "ticket", "number"), 35, "cards[0].ticket.number"),
    ("lot", ("cards", 0, "ticket", "of"), 40, "cards[0].ticket.of"),
    ("lot", ("cards", 0, "ticket"), GONE, "cards[0].ticket"),
    ("lot", ("cards", 0, "value"), 1, "cards[0]"),
    ("lot", ("cards", 0, "last_one"), True, "cards"),
    ("lot", ("cards", 1), GONE, "cards"),
    ("last", ("cards", 2), GONE, "cards[2]"),
    ("last", ("cards", 2, "value"), 1, "cards[2].value"),
    ("last", ("cards", 2, "draw"), 40, "cards[2].draw"),
]
"""Which receipt, where, what instead, and which field a verifier names first (None: its form)."""


def _case(name: str, config: str, receipt: Receipt, *, verdict: str) -> Tree:
    text = msgspec.json.encode(receipt).decode()
    return {"name": name, "config": config, "receipt": text, "verdict": verdict, "field": None}


def _place(tree: Tree, path: Sequence[str | int], value: object) -> None:
    part: Any = tree
    for step in path[:-1]:
        part = part[step]
    if value == GONE:
        del part[path[-1]]
    else:
        part[path[-1]] = value


if __name__ == "__main__":
    sys.stdout.write(vectors_text())
