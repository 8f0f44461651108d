"""The rows of a bulk shop, as lines of PostgreSQL's COPY text format. Pure.

Texts (receipts, leaves, cards in the feed) have the size and the shape of real ones, not their
truth: no law of the draws is to be checked on them. ``opening_rows`` and ``user_rows`` grow
with the shop and are made for a range of it. A line's columns are those of
``COLUMNS``.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from packhouse.bench.bulk_shop import (
    CARDS_PER_OPENING,
    CATALOGUE,
    OPENINGS_PER_PARCEL,
    SESSIONS_EACH,
    BulkShop,
    card_of,
    id_number,
    moment_of,
    scatter,
    stock_item_number,
    tier_of,
    user_card_number,
)

PACKS: Final = 20
VERSIONS_EACH: Final = 3
LOTS: Final = 12
PRICE: Final = 500
LEAVES_PER_TILE: Final = 256
LEAVES_PER_CHECKPOINT: Final = 50
EVENTS_PER_PARCEL: Final = 3
NULL: Final = "\\N"
HASH: Final = hashlib.sha256(b"bulk").hexdigest()

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "users": ("id", "username", "email", "password_hash", "role", "birth_date", "created_at"),
    "user_emails": ("email_key", "user_id"),
    "user_names": ("username_key", "user_id"),
    "sessions": ("token_hash", "user_id", "created_at", "expires_at"),
    "wallets": ("user_id", "balance", "sequence", "seed_pair_id", "nonce"),
    "seed_pairs": (
        "user_id", "id", "sealed_server_seed", "commitment", "user_key", "client_seed",
        "created_at", "first_used_at", "revealed_at", "server_seed", "openings",
    ),
    "top_ups": (
        "user_id", "id", "amount", "provider", "provider_ref", "status", "created_at",
        "completed_at",
    ),
    "ledger_entries": (
        "user_id", "sequence", "kind", "amount", "balance_after", "counterparty", "reference",
        "created_at",
    ),
    "openings": (
        "user_id", "id", "pack_version_id", "seed_pair_id", "nonce", "price", "receipt",
        "created_at",
    ),
    "receipts": ("id", "user_id", "seed_pair_id", "created_at", "log_position"),
    "user_cards": (
        "user_id", "id", "card_id", "stock_item_id", "opening_id", "tier", "value", "state",
        "sell_back_amount", "sell_back_until", "created_at",
    ),
    "global_feed": (
        "sequence", "username", "card", "tier", "value", "pack", "opening_id", "created_at",
    ),
    "stock_items": ("card_id", "id", "place", "created_at", "updated_at"),
    "idempotency_keys": (
        "user_id", "route", "key", "request_hash", "status", "answer", "created_at",
    ),
    "log_leaves": ("position", "leaf", "created_at"),
    "shipping_requests": (
        "user_id", "id", "status", "address", "cost", "quote", "created_at", "updated_at",
    ),
    "shipping_request_items": (
        "user_id", "shipping_request_id", "user_card_id", "card_id", "stock_item_id", "value",
    ),
    "shipping_request_events": (
        "user_id", "shipping_request_id", "sequence", "status", "actor_id", "created_at",
    ),
    "request_directory": ("id", "user_id", "created_at"),
    "outbox": (
        "user_id", "id", "kind", "version", "subject_id", "sequence", "payload", "created_at",
    ),
    "audit_log": (
        "id", "actor_id", "actor_name", "action", "subject", "details", "request_id", "created_at",
    ),
    "cards": (
        "id", "set_code", "set_name", "number", "name", "tier", "value", "kind", "weight_grams",
        "created_at", "updated_at",
    ),
    "packs": ("id", "slug", "position", "current_version_id", "created_at"),
    "pack_drafts": ("pack_id", "draft", "updated_at"),
    "pack_versions": (
        "id", "pack_id", "number", "config", "config_hash", "lot_id", "published_by",
        "published_at",
    ),
    "pack_pauses": ("pack_id", "card_id", "created_at"),
    "lots": (
        "id", "pack_version_id", "size", "draws", "commitment", "sealed_server_seed",
        "manifest_root",
    ),
    "lot_items": (
        "lot_id", "position", "card_id", "tier", "value", "draw", "is_published",
    ),
    "tier_counts": ("config_hash", "layout", "slot", "tier", "cards"),
    "house_accounts": ("name", "balance", "sequence"),
    "house_entries": (
        "account", "sequence", "amount", "balance_after", "batch_id", "events", "created_at",
    ),
    "log_tiles": ("level", "number", "hashes"),
    "log_checkpoints": ("size", "note", "verifier_key", "created_at"),
    "catalog_imports": ("sha256", "file_name", "imported_at"),
    "settings": ("name", "value", "updated_at"),
}  # fmt: skip

CARD_IDS: Final = tuple(f"{id_number('card', card):032x}" for card in range(CATALOGUE))
TIERS: Final = tuple(map(tier_of, range(CATALOGUE)))
FACES: Final = tuple(
    f'{{"id":"{UUID(CARD_IDS[card])}","name":"The card of number {card}","set":"BULK",'
    f'"number":"{card:04d}","image_url":"/media/cards/bulk-{card:04d}.webp"}}'
    for card in range(CATALOGUE)
)


def token_hash(user: int, session: int = 0) -> bytes:
    """What the sessions of a collector are found by."""
    return hashlib.sha256(f"session {user} {session}".encode()).digest()


def email_key(user: int) -> str:
    """The key of a collector's address."""
    return f"bulk-{user:07d}@example.com"


def version_id(pack: int, number: int = VERSIONS_EACH - 1) -> int:
    """A published version of a pack; the last is on sale."""
    return id_number("other", 1_000_000 + pack * VERSIONS_EACH + number)


def pack_id(pack: int) -> int:
    """A pack; the last ``LOTS`` are lots."""
    return id_number("other", 2_000_000 + pack)


def lot_id(lot: int) -> int:
    """A lot; what is on sale of its pack is this one."""
    return id_number("other", 3_000_000 + lot)


def config_hash(pack: int, number: int = VERSIONS_EACH - 1) -> bytes:
    """The hash of a published version."""
    return hashlib.sha256(f"config {pack} {number}".encode()).digest()


def receipt_text(shop: BulkShop, opening: int) -> str:
    """About as long as the receipt of an opening of eight cards, and compressible like one."""
    mixed = hashlib.sha256(str(opening).encode()).hexdigest()
    begin = opening * CARDS_PER_OPENING
    cards = ",".join(
        f'{{"user_card_id":"{user_card_number(number):032x}","card":{FACES[card_of(number)]},'
        f'"tier":"D","value":50,"slot":"Slot","tier_ticket":{{"number":{scatter(number)},"of":'
        f'100000000}},"card_ticket":{{"number":{scatter(-number)},"of":100000000}}}}'
        for number in range(begin, begin + CARDS_PER_OPENING)
    )
    return (
        f'{{"format":"packhouse.receipt/1","id":"{shop.opening_id(opening)}","kind":"odds",'
        f'"pack":{{"slug":"bulk","name":"Bulk","version":3,"config_hash":"{HASH}"}},'
        f'"price":{PRICE},"cards":[{cards}],"proof":{{"config_hash":"{HASH}","commitment":"{mixed}"'
        f',"user_key":"{mixed[:32]}","nonce":{opening},"client_seed":"{mixed[32:]}"}}}}'
    )


def opening_rows(shop: BulkShop, first: int, end: int) -> dict[str, list[str]]:
    """What the openings from ``first`` to before ``end`` wrote, and what the relay made of it."""
    rows: dict[str, list[str]] = {name: [] for name in ROWS_OF_OPENINGS}
    version = f"{version_id(0):032x}"
    for opening in range(first, end):
        user = shop.owner_of(opening)
        owner = f"{shop.user_id(user).int:032x}"
        pair = f"{shop.seed_pair_id(user).int:032x}"
        number = f"{id_number('opening', opening, at_opening=opening):032x}"
        moment = moment_of(opening).isoformat()
        until = (moment_of(opening) + timedelta(days=7)).isoformat()
        receipt = receipt_text(shop, opening)
        rows["openings"].append(
            f"{owner}\t{number}\t{version}\t{pair}\t{opening}\t{PRICE}\t{receipt}\t{moment}"
        )
        rows["receipts"].append(f"{number}\t{owner}\t{pair}\t{moment}\t{opening}")
        rows["log_leaves"].append(f'{opening}\t{{"kind":"opening","receipt":"{number}"}}\t{moment}')
        rows["idempotency_keys"].append(
            f"{owner}\topenings\tkey-{opening}\t\\\\x{HASH}\t201\t{number}\t{moment}"
        )
        rows["ledger_entries"] += (
            f"{owner}\t{2 * opening + 1}\ttop_up\t{PRICE}\t{PRICE}\tpayments\t{number}\t{moment}",
            f"{owner}\t{2 * opening + 2}\tpack_opening\t-{PRICE}\t0\tsales\t{number}\t{moment}",
        )
        _add_card_rows(rows, shop, opening, owner=owner, number=number, times=(moment, until))
        if opening % OPENINGS_PER_PARCEL == 0 and opening // OPENINGS_PER_PARCEL < shop.parcels:
            _add_parcel_rows(rows, shop, opening // OPENINGS_PER_PARCEL, owner=owner)
    return rows


def _add_card_rows(
    rows: dict[str, list[str]],
    shop: BulkShop,
    opening: int,
    *,
    owner: str,
    number: str,
    times: tuple[str, str],
) -> None:
    moment, until = times
    name = owner[-7:]
    begin = opening * CARDS_PER_OPENING
    for each in range(begin, begin + CARDS_PER_OPENING):
        catalogued = card_of(each)
        tier, value = TIERS[catalogued]
        card, state, item = CARD_IDS[catalogued], shop.state_of(each), stock_item_number(each)
        copy = NULL if item is None else f"{item:032x}"
        rows["user_cards"].append(
            f"{owner}\t{user_card_number(each):032x}\t{card}\t{copy}\t{number}\t{tier}\t{value}"
            f"\t{state}\t{value // 2}\t{until}\t{moment}"
        )
        rows["global_feed"].append(
            f"{each + 1}\tbulk-{name}\t{FACES[catalogued]}\t{tier}\t{value}"
            f'\t{{"slug":"bulk","name":"Bulk"}}\t{number}\t{moment}'
        )
        if item is not None:
            place = "on_sale" if state == "sold" else state
            rows["stock_items"].append(f"{card}\t{copy}\t{place}\t{moment}\t{moment}")


def _add_parcel_rows(
    rows: dict[str, list[str]], shop: BulkShop, parcel: int, *, owner: str
) -> None:
    opening = parcel * OPENINGS_PER_PARCEL
    moment = moment_of(opening).isoformat()
    number = f"{shop.parcel_id(parcel).int:032x}"
    status = shop.parcel_status(parcel)
    address = '{"name":"A Collector","line1":"1 Bulk Street","city":"Harbour","country":"NL"}'
    rows["shipping_requests"].append(
        f'{owner}\t{number}\t{status}\t{address}\t900\t{{"cost":900,"weight_grams":20}}'
        f"\t{moment}\t{moment}"
    )
    rows["request_directory"].append(f"{number}\t{owner}\t{moment}")
    for each in (opening * CARDS_PER_OPENING, opening * CARDS_PER_OPENING + 2):
        card = card_of(each)
        rows["shipping_request_items"].append(
            f"{owner}\t{number}\t{user_card_number(each):032x}\t{CARD_IDS[card]}"
            f"\t{shop.stock_item_id(each)}\t{TIERS[card][1]}"
        )
    for sequence in range(1, EVENTS_PER_PARCEL + 1):
        rows["shipping_request_events"].append(
            f"{owner}\t{number}\t{sequence}\t{status}\t{owner}\t{moment}"
        )


def user_rows(shop: BulkShop, first: int, end: int) -> dict[str, list[str]]:
    """The collectors from ``first`` to before ``end``, and what each of them has one of."""
    rows: dict[str, list[str]] = {name: [] for name in ROWS_OF_USERS}
    begun, now = moment_of(0).isoformat(), shop.now.isoformat()
    ended, lasting = ((shop.now + timedelta(days=days)).isoformat() for days in (-1, 2))
    for user in range(first, end):
        owner = f"{shop.user_id(user).int:032x}"
        old, pair = (
            f"{shop.seed_pair_id(user, is_in_force=each).int:032x}" for each in (False, True)
        )
        role = "owner" if user == 1 else "staff" if user % 2_000 == 2 else "collector"
        rows["users"].append(
            f"{owner}\tbulk-{user:07d}\t{email_key(user)}\t$argon2id${HASH}\t{role}\t1990-01-01\t{begun}"
        )
        rows["user_emails"].append(f"{email_key(user)}\t{owner}")
        rows["user_names"].append(f"bulk-{user:07d}\t{owner}")
        for session in range(SESSIONS_EACH):
            # The last of each has ended, so that the sweep has something to find.
            expires = ended if session == SESSIONS_EACH - 1 else lasting
            secret = token_hash(user, session).hex()
            rows["sessions"].append(f"\\\\x{secret}\t{owner}\t{begun}\t{expires}")
        rows["wallets"].append(f"{owner}\t100000\t{2 * shop.openings + 2}\t{pair}\t0")
        secrets = f"\\\\x{HASH}\t\\\\x{HASH}\t\\\\x{HASH[:32]}\tseed"
        rows["seed_pairs"] += (
            f"{owner}\t{old}\t{secrets}\t{begun}\t{begun}\t{now}\t\\\\x{HASH}\t3",
            f"{owner}\t{pair}\t{secrets}\t{begun}\t{now}\t{NULL}\t{NULL}\t{NULL}",
        )
        top_up = f"{id_number('other', user):032x}"
        rows["top_ups"].append(
            f"{owner}\t{top_up}\t100000\tdemo\t{top_up}\tcompleted\t{begun}\t{begun}"
        )
        act = f"{id_number('other', user, at_opening=user):032x}"
        rows["audit_log"].append(f"{act}\t{owner}\tstaff\tlook\tuser {user}\t{{}}\tbulk\t{begun}")
    return rows


ROWS_OF_OPENINGS: Final = (
    "openings", "receipts", "ledger_entries", "user_cards", "global_feed", "stock_items",
    "idempotency_keys", "log_leaves", "shipping_requests", "shipping_request_items",
    "shipping_request_events", "request_directory",
)  # fmt: skip
ROWS_OF_USERS: Final = (
    "users", "user_emails", "user_names", "sessions", "wallets", "seed_pairs", "top_ups",
    "audit_log",
)  # fmt: skip
