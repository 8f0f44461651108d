"""Verifying: recompute a draw from public files, with nothing of the shop's own code.

This package imports nothing of Packhouse, so that a mistake in the code that draws is not made
again by the code that checks. It follows ``docs/fairness.md``; the browser's verifier under
``web/static/verify`` is a third writing of the same page, and golden vectors bind all three.
"""

from packhouse.verify.configs import PublishedConfig, read_config
from packhouse.verify.drawing import (
    LotEntry,
    commitment_to,
    draw_pack,
    hash_of_client_seed,
    lot_message,
    lot_ticket,
    odds_message,
    replay_lot,
    ticket_below,
)
from packhouse.verify.findings import CouldNotLook, Differs, Mismatch
from packhouse.verify.looking import (
    NotThere,
    api_address_of,
    config_address_of,
    is_address,
    read_target,
)
from packhouse.verify.merkle import merkle_root
from packhouse.verify.openings import check_commitment, check_draws, check_terms
from packhouse.verify.packs import list_chances
from packhouse.verify.plain_json import canonical_bytes, parse_plain_json
from packhouse.verify.receipts import Receipt, read_receipt

__all__ = [
    "CouldNotLook",
    "Differs",
    "LotEntry",
    "Mismatch",
    "NotThere",
    "PublishedConfig",
    "Receipt",
    "api_address_of",
    "canonical_bytes",
    "check_commitment",
    "check_draws",
    "check_terms",
    "commitment_to",
    "config_address_of",
    "draw_pack",
    "hash_of_client_seed",
    "is_address",
    "list_chances",
    "lot_message",
    "lot_ticket",
    "merkle_root",
    "odds_message",
    "parse_plain_json",
    "read_config",
    "read_receipt",
    "read_target",
    "replay_lot",
    "ticket_below",
]
