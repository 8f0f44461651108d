"""What the statements about people are asked: accounts, wallet, vault, parcels, feed, plumbing."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from packhouse.bench.bulk_rows import email_key, token_hash
from packhouse.bench.bulk_shop import OPENINGS_PER_PARCEL, id_number, moment_of
from worlds.planned_shop import (
    HASH,
    LATER,
    MIDDLE,
    MIDDLE_CARD,
    NEWEST,
    NOW,
    PAGE,
    SET_OPENINGS,
    SET_USERS,
    SHOP,
    WHALE,
    WHALE_PAIR,
    Case,
    adds,
    new_ids,
)

ID = new_ids(1)[0]
IDS = new_ids(128)
RELAYED = 500
OWNERS = [SHOP.user_id(SHOP.owner_of(number)) for number in SET_OPENINGS]
EVENTS = [
    (SHOP.user_id(SHOP.owner_of(each)), UUID(int=id_number("other", each, at_opening=each)))
    for each in range(SHOP.openings - SHOP.waiting, SHOP.openings - SHOP.waiting + RELAYED)
]
CARDS_OF_WHALE = [SHOP.user_card_id(MIDDLE_CARD + 80 * number + 1) for number in range(200)]
OTHERS = [SHOP.user_id(3_000 + number) for number in range(15)]
PARCEL = SHOP.parcel_id(MIDDLE // OPENINGS_PER_PARCEL)
VALUE = 60
HOUR = moment_of(MIDDLE)
WIDTH = timedelta(seconds=10)
TODAY = NOW.date()
OWN = "one collector's own cards bound it: a state, or a tier by value, is found by reading on"

ACCOUNTS: Final = (
    Case("accounts.claim_email", ("new@example.com", ID), adds(1, indexes=1)),
    Case("accounts.claim_email", (email_key(7), ID), 10),
    Case("accounts.claim_username", ("new", ID), adds(1, indexes=1)),
    Case(
        "accounts.insert_user",
        (ID, "new", "n@e.com", "x", "collector", date(1990, 1, 1), NOW),
        adds(1, indexes=1),
    ),
    Case("accounts.find_user", (WHALE,), 5),
    Case("accounts.find_addressee", (WHALE,), 5),
    Case("accounts.lock_user", (WHALE,), 10),
    Case("accounts.list_owner_ids", (), 10),
    Case("accounts.list_users", (None, None, PAGE), 40),
    Case("accounts.list_users", (None, SHOP.user_id(2_000), PAGE), 40),
    Case("accounts.find_first_owner", (), 10),
    Case("accounts.find_email_owner", (email_key(1_234),), 5),
    Case("accounts.find_credentials", (WHALE,), 5),
    Case("accounts.update_password_hash", (WHALE, "x", "y"), 20),
    Case("accounts.update_role", (WHALE, "staff"), 30),
    Case("accounts.update_suspension", (WHALE, NOW, "why"), 30),
    Case("accounts.update_anonymity", (WHALE, True), 30),
    Case("accounts.insert_session", (HASH, WHALE, NOW, LATER), adds(1, indexes=3)),
    Case("accounts.list_sessions", ([token_hash(user) for user in range(200)], NOW), 1_500),
    Case("accounts.list_sessions", ([HASH], NOW), 5),
    Case("accounts.list_session_owners", ([token_hash(user) for user in range(200)], NOW), 1_000),
    Case("accounts.list_session_users", ([SHOP.user_id(user) for user in range(200)],), 1_000),
    Case("accounts.delete_session", (token_hash(77),), 10),
    Case("accounts.delete_sessions_of_user", (WHALE,), 20),
    Case("accounts.delete_surplus_sessions", (WHALE, 1), 40),
    Case("accounts.delete_expired_sessions", (NOW, 1_000), 4_500),
)

WALLET: Final = (
    Case("wallet.insert_wallet", (ID, WHALE_PAIR), adds(1, indexes=1)),
    Case("wallet.find_wallet", (WHALE,), 5),
    Case("wallet.list_balances", (SET_USERS,), 10 * len(SET_USERS)),
    Case("wallet.lock_wallet", (WHALE,), 10),
    Case(
        "wallet.advance_wallets",
        (
            SET_USERS,
            [SHOP.seed_pair_id(3_000 + number) for number in range(16)],
            [2 * SHOP.openings + 2] * 16,
            [0] * 16,
            [-500] * 16,
            [1] * 16,
            [1] * 16,
        ),
        200,
    ),
    Case(
        "wallet.insert_ledger_entries",
        (
            SET_USERS,
            [10_000_000] * 16,
            ["pack_opening"] * 16,
            [-500] * 16,
            [0] * 16,
            ["sales"] * 16,
            IDS[:16],
            NOW,
        ),
        adds(16, indexes=1),
    ),
    Case("wallet.list_ledger_entries", (WHALE, None, PAGE), 120),
    Case("wallet.list_ledger_entries", (WHALE, 2 * MIDDLE, PAGE), 120),
    Case("wallet.replace_seed_pair", (WHALE, ID), 20),
    Case(
        "wallet.insert_top_up",
        (WHALE, ID, 100, "demo", "x", "completed", None, NOW, NOW),
        adds(1, indexes=1),
    ),
    Case(
        "wallet.advance_house_accounts",
        (["payments", "sales"], [5, -5]),
        adds(2, indexes=1),
    ),
    Case(
        "wallet.insert_house_entries",
        (["a new one", "another"], [1, 1], [5, -5], [5, -5], [1, 1], ID, NOW),
        adds(2, indexes=1),
    ),
    Case("wallet.list_house_accounts", (), 5),
)

VAULT: Final = (
    *(
        Case("vault.list_user_cards_by_newest", (WHALE, state, after, PAGE), buffers)
        for state, buffers in ((None, 130), ("vaulted", 250))
        for after in (None, SHOP.user_card_id(MIDDLE_CARD))
    ),
    *(
        Case("vault.list_packed_pages", ([WHALE, *OTHERS], state, PAGE), buffers)
        for state, buffers in ((None, 130 + 15 * 30), ("vaulted", 250 + 15 * 30))
    ),
    *(
        Case("vault.list_user_cards_of_tier_by_newest", (WHALE, state, after, PAGE, tier), buffers)
        for state, buffers in ((None, 130), ("vaulted", 250))
        for after in (None, SHOP.user_card_id(MIDDLE_CARD))
        for tier in ("D", "SSS")
    ),
    *(
        Case("vault.list_user_cards_by_value", (WHALE, state, after, PAGE, None, value), buffers)
        for state, buffers in ((None, 130), ("vaulted", 250))
        for after, value in ((None, None), (SHOP.user_card_id(MIDDLE_CARD), VALUE))
    ),
    Case("vault.list_user_cards_by_newest", (WHALE, "reserved", None, PAGE), 2_500, because=OWN),
    Case(
        "vault.list_user_cards_by_value", (WHALE, None, None, PAGE, "D", None), 8_000, because=OWN
    ),
    Case("vault.count_user_cards", (WHALE,), 2_000, because=OWN),
    Case("vault.list_user_cards", (WHALE, CARDS_OF_WHALE), 450),
    Case("vault.update_user_card_states", (WHALE, CARDS_OF_WHALE, "vaulted", "sold"), 3_000),
    Case("vault.count_user_cards", (SHOP.user_id(3_500),), 60),
    Case("vault.count_ending", (WHALE, NOW, LATER), 2_000, because=OWN),
    Case("vault.count_ending", (SHOP.user_id(3_500), NOW, LATER), 60),
    Case("vault.list_users_with_ending", (HOUR, HOUR + WIDTH, HOUR, LATER), 400, sorts=5_000),
    Case("vault.insert_sell_back_notices", (SET_USERS, TODAY), adds(16, indexes=1)),
    Case("vault.delete_old_sell_back_notices", (TODAY,), 20),
)

SHIPPING: Final = (
    Case("shipping.insert_shipping_request", (WHALE, ID, {}, 900, {}, NOW), adds(1, indexes=4)),
    Case(
        "shipping.insert_shipping_request_items",
        (
            WHALE,
            ID,
            IDS,
            [SHOP.card_id(number) for number in range(128)],
            IDS,
            [50] * 128,
        ),
        adds(128, indexes=1),
    ),
    Case(
        "shipping.insert_shipping_request_event",
        (WHALE, PARCEL, "shipped", WHALE, None, NOW),
        adds(1, indexes=1),
    ),
    Case("shipping.lock_shipping_request", (WHALE, PARCEL), 10),
    Case("shipping.find_shipping_request", (WHALE, PARCEL), 5),
    Case("shipping.find_parcel_notice", (WHALE, PARCEL), 15),
    Case("shipping.update_shipping_request", (WHALE, PARCEL, "delivered", "x", None, NOW), 30),
    Case("shipping.list_shipping_requests", (WHALE, None, PAGE), 130),
    Case("shipping.list_shipping_requests", (WHALE, PARCEL, PAGE), 130),
    Case("shipping.list_shipping_queue", ("pending", None, PAGE), 130),
    Case("shipping.list_shipping_queue", ("delivered", PARCEL, PAGE), 130),
    Case("shipping.list_all_shipping_requests", (None, PAGE), 130),
    Case("shipping.list_all_shipping_requests", (PARCEL, PAGE), 130),
    Case("shipping.count_shipping_requests", (["pending", "packing"],), 130),
    Case("shipping.list_shipping_request_items", (WHALE, PARCEL), 10),
    Case("shipping.list_shipping_request_events", (WHALE, PARCEL), 10),
    Case(
        "shipping.insert_directory_entries", (IDS, [WHALE] * 128, [NOW] * 128), adds(128, indexes=1)
    ),
    Case("shipping.find_request_owner", (PARCEL,), 5),
)

FEED: Final = (
    Case("feed.find_last_sequence", (), 5),
    *(
        Case("feed.list_newest_pulls", (before, PAGE), 30)
        for before in (None, SHOP.user_cards // 2)
    ),
    *(
        Case("feed.list_newest_pulls_of_tier", (before, PAGE, tier), 120)
        for before in (None, SHOP.user_cards // 2)
        for tier in ("D", "SSS")
    ),
    Case("feed.list_pulls_after", (SHOP.user_cards // 2, 1_000), 150),
)

PLUMBING: Final = (
    Case("plumbing.find_answer", (WHALE, "openings", f"key-{MIDDLE}"), 10),
    Case(
        "plumbing.insert_answers",
        (SET_USERS, ["openings"] * 16, ["new"] * 16, [HASH] * 16, ["{}"] * 16, NOW),
        adds(16, indexes=1),
    ),
    Case(
        "plumbing.insert_events",
        (
            SET_USERS,
            IDS[:16],
            ["pack.opened"] * 16,
            [1] * 16,
            IDS[:16],
            [1] * 16,
            ["{}"] * 16,
            NOW,
        ),
        adds(16, indexes=3),
    ),
    Case("plumbing.list_waiting_events", (RELAYED,), 1_000, sorts=8_000),
    Case(
        "plumbing.delete_events",
        ([user for user, _ in EVENTS], [event for _, event in EVENTS]),
        3_000,
    ),
    Case("plumbing.find_waiting_event", (SHOP.opening_id(NEWEST),), 10),
    Case("plumbing.claim_relay", (), 0),
    Case(
        "plumbing.insert_audit_entry",
        (ID, WHALE, "x", "look", "x", None, {}, "r", NOW),
        adds(1, indexes=1),
    ),
    Case("plumbing.list_audit_entries", (None, PAGE), 30),
    Case(
        "plumbing.list_audit_entries",
        (UUID(int=id_number("other", 3_000, at_opening=3_000)), PAGE),
        30,
    ),
    Case("plumbing.list_shop_settings", (), 5),
    Case("plumbing.find_cluster", (), 0),
    Case("plumbing.find_wal_position", (), 0),
    Case("plumbing.look_at_replica", (), 0),
    Case("plumbing.find_replayed", (), 0),
    Case("plumbing.upsert_shop_setting", ("bulk", {"is_open": False}, NOW), 10),
    Case("plumbing.delete_job_log", (NOW, 5_000), 20),
    Case("plumbing.count_jobs", (), 10),
    Case("plumbing.count_dead_letters", (), 10),
    Case("plumbing.list_dead_letters", (None, PAGE), 10),
    Case("plumbing.list_dead_letters", (7, PAGE), 10),
    Case("plumbing.lock_dead_letter", (7,), 10),
)

PARCELLED = SHOP.user_id(SHOP.owner_of(MIDDLE + 7))
CLOSING: Final = (
    Case("accounts.close_user", (WHALE, "closed-1", NOW), 30),
    Case("accounts.release_email", (email_key(7), SHOP.user_id(7)), 10),
    Case("accounts.release_username", ("bulk-0000007", SHOP.user_id(7)), 10),
    Case("draws.erase_client_seeds", (WHALE,), 60),
    Case("draws.list_opening_times", (WHALE, None, PAGE), 130),
    Case("draws.list_opening_times", (WHALE, SHOP.opening_id(MIDDLE), PAGE), 130),
    Case(
        "feed.erase_feed_names",
        (
            [SHOP.opening_id(each) for each in range(0, 1_000, 10)],
            [moment_of(each) for each in range(0, 1_000, 10)],
            "closed",
        ),
        20_000,
    ),
    Case("feed.insert_feed_erasure", (WHALE, ID, NOW), adds(1, indexes=1)),
    Case("feed.claim_feed_erasure", (), 10),
    Case("feed.update_feed_erasure", (WHALE, ID), 10),
    Case("feed.delete_feed_erasure", (WHALE,), 10),
    Case("plumbing.delete_answers", (WHALE,), 3_000, because=OWN),
    Case("plumbing.hold_relay", (), 0),
    Case("plumbing.rename_in_events", (WHALE, "closed"), 25_000, because=OWN),
    Case("plumbing.has_audit_entries", (SHOP.user_id(3),), 10),
    Case("shipping.count_underway_requests", (WHALE, ["pending", "packing"]), 200, because=OWN),
    Case("shipping.erase_addresses", (PARCELLED,), 200),
    Case("shipping.erase_notes", (PARCELLED,), 200),
    Case("vault.forfeit_user_cards", (WHALE,), 40_000, because=OWN),
)
