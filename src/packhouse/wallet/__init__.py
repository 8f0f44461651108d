"""The wallet: credits in integer minor units, an append-only ledger, never below zero."""

from packhouse.wallet.checks import check_ledger_sums_to_zero
from packhouse.wallet.errors import CreditsLeft, InsufficientCredits, PaymentsUnavailable
from packhouse.wallet.model import (
    EntryKind,
    HousePosting,
    LedgerEntry,
    Movement,
    TopUp,
    Wallet,
    WalletChange,
)
from packhouse.wallet.rules import (
    HOUSE_ACCOUNTS,
    postings_of,
    require_credits,
    require_forfeited,
    settle,
)
from packhouse.wallet.store import (
    advance_wallets,
    apply_change,
    find_wallet,
    insert_top_up,
    insert_wallet,
    list_balances,
    list_house_accounts,
    list_ledger_entries,
    lock_wallet,
    post_house_entries,
    replace_seed_pair,
)

__all__ = [
    "HOUSE_ACCOUNTS",
    "CreditsLeft",
    "EntryKind",
    "HousePosting",
    "InsufficientCredits",
    "LedgerEntry",
    "Movement",
    "PaymentsUnavailable",
    "TopUp",
    "Wallet",
    "WalletChange",
    "advance_wallets",
    "apply_change",
    "check_ledger_sums_to_zero",
    "find_wallet",
    "insert_top_up",
    "insert_wallet",
    "list_balances",
    "list_house_accounts",
    "list_ledger_entries",
    "lock_wallet",
    "post_house_entries",
    "postings_of",
    "replace_seed_pair",
    "require_credits",
    "require_forfeited",
    "settle",
]
