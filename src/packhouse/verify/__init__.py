"""Verifying: recompute a draw from public files, with nothing of the shop's own code.

This package imports nothing of Packhouse, so that a mistake in the code that draws is not made
again by the code that checks. It follows ``docs/fairness.md``; the browser's verifier under
``web/static/verify`` is a third writing of the same page, and golden vectors bind all three.
"""

from packhouse.verify.audits import Audit, audit_log, check_extends
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
from packhouse.verify.histories import (
    History,
    LoggedUser,
    check_history_logged,
    check_pairs,
    check_receipts,
    complete_history,
    read_history,
    walk_user,
)
from packhouse.verify.logged import check_logged, find_opening, hash_of_receipt
from packhouse.verify.looking import (
    NotThere,
    api_address_of,
    config_address_of,
    is_address,
    read_target,
)
from packhouse.verify.manifests import (
    ManifestItem,
    manifest_lines,
    manifest_root_of,
    read_manifest_item,
)
from packhouse.verify.merkle import merkle_root
from packhouse.verify.notes import Checkpoint, VerifierKey, read_checkpoint, read_verifier_key
from packhouse.verify.openings import check_commitment, check_draws, check_terms
from packhouse.verify.packs import list_chances
from packhouse.verify.plain_json import canonical_bytes, parse_plain_json
from packhouse.verify.published import PublishedConfigs
from packhouse.verify.receipts import Receipt, read_receipt
from packhouse.verify.replays import LotReplay, replay_listed_lot
from packhouse.verify.tiles import LogFiles, log_address_of, mirror_folder_of

__all__ = [
    "Audit",
    "Checkpoint",
    "CouldNotLook",
    "Differs",
    "History",
    "LogFiles",
    "LoggedUser",
    "LotEntry",
    "LotReplay",
    "ManifestItem",
    "Mismatch",
    "NotThere",
    "PublishedConfig",
    "PublishedConfigs",
    "Receipt",
    "VerifierKey",
    "api_address_of",
    "audit_log",
    "canonical_bytes",
    "check_commitment",
    "check_draws",
    "check_extends",
    "check_history_logged",
    "check_logged",
    "check_pairs",
    "check_receipts",
    "check_terms",
    "commitment_to",
    "complete_history",
    "config_address_of",
    "draw_pack",
    "find_opening",
    "hash_of_client_seed",
    "hash_of_receipt",
    "is_address",
    "list_chances",
    "log_address_of",
    "lot_message",
    "lot_ticket",
    "manifest_lines",
    "manifest_root_of",
    "merkle_root",
    "mirror_folder_of",
    "odds_message",
    "parse_plain_json",
    "read_checkpoint",
    "read_config",
    "read_history",
    "read_manifest_item",
    "read_receipt",
    "read_target",
    "read_verifier_key",
    "replay_listed_lot",
    "replay_lot",
    "ticket_below",
    "walk_user",
]
