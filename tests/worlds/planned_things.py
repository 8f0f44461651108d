"""What the statements about things are asked: catalogue, packs, lots, draws, the draw log."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from packhouse.bench.bulk_house import manifest_root
from packhouse.bench.bulk_rows import HASH as KNOWN_HASH
from packhouse.bench.bulk_rows import config_hash, token_hash
from packhouse.bench.bulk_shop import card_of
from packhouse.catalog import FIRST_COPY
from worlds.planned_shop import (
    CARDS,
    COPIES,
    HASH,
    LOT,
    MIDDLE,
    MIDDLE_CARD,
    NOW,
    PACK,
    PAGE,
    SET_USERS,
    SHOP,
    VERSION,
    WHALE,
    WHALE_PAIR,
    Case,
    adds,
    new_ids,
)

ID = new_ids(1)[0]
IDS = new_ids(128)
COPY_CARDS = [card for card, _ in COPIES]
COPY_IDS = [item for _, item in COPIES]
ONE_CARD = SHOP.card_id(card_of(MIDDLE_CARD))
ONES = [
    item
    for number in range(MIDDLE_CARD + 1)
    if card_of(number) == card_of(MIDDLE_CARD) and (item := SHOP.stock_item_id(number)) is not None
]

CATALOG: Final = (
    Case("catalog.list_cards", (CARDS,), 330),
    Case("catalog.list_cards_by_key", (["BULK0"] * 50, [f"{n:04d}" for n in range(50)]), 200),
    Case("catalog.list_cards_page", (None, None, None, None, None, PAGE), 130),
    Case("catalog.list_cards_page", (None, "BULK2", "D", "BULK2", "0450", PAGE), 130),
    Case("catalog.list_cards_page", ("%number 99%", None, None, None, None, PAGE), 130),
    Case(
        "catalog.update_cards",
        (
            CARDS,
            ["s"] * 143,
            ["n"] * 143,
            ["D"] * 143,
            [1] * 143,
            [2] * 143,
            ["f"] * 143,
            [None] * 143,
            NOW,
        ),
        2_500,
    ),
    Case("catalog.claim_stock_items", (sorted(CARDS), [1] * 143, [FIRST_COPY] * 143), 1_200),
    Case("catalog.claim_stock_items_waiting", (sorted(CARDS), [1] * 143), 1_200),
    Case("catalog.hand_out_stock_items", (COPY_CARDS, COPY_IDS, NOW), 3_500),
    Case("catalog.hand_out_stock_items_by_id", (COPY_CARDS[:8], COPY_IDS[:8], NOW), 500),
    Case(
        "catalog.move_stock_items",
        (COPY_CARDS, COPY_IDS, ["vaulted", "reserved", "on_sale"], "house", NOW),
        5_000,
    ),
    Case("catalog.lock_stock_items", (ONE_CARD, ONES), 150),
    Case("catalog.claim_movable_items", (ONE_CARD, ["house", "on_sale"], 50), 150),
    Case("catalog.count_stock_by_card", (CARDS,), 400),
    Case("catalog.count_stock_by_place", (CARDS[:10],), 600),
    Case("catalog.list_stock_page", (ONE_CARD, None, None, PAGE), 130),
    Case("catalog.list_stock_page", (ONE_CARD, "on_sale", ONES[-1], PAGE), 130),
    Case("catalog.list_stock_items", (COPY_CARDS, COPY_IDS), 1_000),
    Case("catalog.list_known_certificates", (COPY_CARDS, [f"c{n}" for n in range(200)]), 500),
    Case("catalog.lock_cards", (CARDS,), 600),
    Case("catalog.insert_pack_pauses", ([PACK], [CARDS[0]], NOW), adds(1, indexes=1)),
    Case("catalog.delete_pack_pauses_for_cards", (CARDS,), 20),
    Case("catalog.list_pack_pauses", (), 5),
    Case("catalog.claim_import", (), 0),
    Case("catalog.find_catalog_import", (bytes.fromhex(KNOWN_HASH),), 5),
    Case("catalog.insert_catalog_import", (HASH, "x.csv", NOW), adds(1, indexes=1)),
    Case("catalog.bind_stock_items", (COPY_CARDS, COPY_IDS, LOT, NOW), 3_500),
    Case("catalog.list_cards_of_sets", (["BULK1"],), 250),
    Case("catalog.delete_pack_pauses", (UUID(int=PACK.int + 1),), 10),
)

DRAWS: Final = (
    Case(
        "draws.list_opening_standings",
        (
            SET_USERS,
            [PACK] * 16,
            ["openings"] * 16,
            ["new"] * 16,
            [token_hash(3_000 + number) for number in range(16)],
            NOW,
        ),
        400,
    ),
    Case("draws.find_opener", (WHALE, "openings", "new"), 20),
    Case("draws.find_version_on_sale", (PACK,), 5),
    Case("draws.is_pack_paused", (PACK,), 5),
    Case("draws.find_session_holder", (token_hash(3_000), NOW), 5),
    Case(
        "draws.insert_seed_pair",
        (WHALE, ID, b"x", HASH, HASH[:16], "seed", NOW),
        adds(1, indexes=2),
    ),
    Case("draws.list_commitments", (SET_USERS,), 15 * len(SET_USERS)),
    Case("draws.find_seed_pair", (WHALE, WHALE_PAIR), 5),
    Case("draws.list_revealed_seed_pairs", (WHALE, 50), 10),
    Case("draws.list_seed_pairs", (WHALE, None, PAGE), 10),
    Case("draws.list_seed_pairs", (WHALE, WHALE_PAIR, PAGE), 10),
    Case("draws.find_sealed_server_seed", (WHALE, WHALE_PAIR), 5),
    Case("draws.reveal_seed_pair", (WHALE, WHALE_PAIR, HASH, NOW, 5), 20),
    Case("draws.list_due_seed_pairs", (NOW - timedelta(days=6), 100), 120),
    Case("draws.list_due_seed_pairs", (NOW, 100), 120),
    Case("draws.list_sell_back_windows", (), 30),
    Case("draws.update_client_seed", (WHALE, WHALE_PAIR, "mine"), 20),
    Case(
        "draws.mark_first_use",
        (SET_USERS, [SHOP.seed_pair_id(3_000 + number) for number in range(16)], NOW),
        150,
    ),
    Case(
        "draws.insert_openings",
        (SET_USERS, IDS[:16], [VERSION] * 16, IDS[:16], [1] * 16, [500] * 16, ["{}"] * 16, NOW),
        adds(16, indexes=2),
    ),
    Case("draws.list_openings", (WHALE, None, PAGE), 150),
    Case("draws.list_openings", (WHALE, SHOP.opening_id(MIDDLE), PAGE), 150),
    Case(
        "draws.list_opening_receipts_of_shards",
        (
            [SHOP.user_id(SHOP.owner_of(each)) for each in range(MIDDLE, MIDDLE + 8)],
            [SHOP.opening_id(each) for each in range(MIDDLE, MIDDLE + 8)],
        ),
        400,
    ),
    Case(
        "draws.list_opening_receipts",
        (
            [SHOP.user_id(SHOP.owner_of(each)) for each in range(MIDDLE, MIDDLE + 500)],
            [SHOP.opening_id(each) for each in range(MIDDLE, MIDDLE + 500)],
        ),
        2_200,
    ),
    Case(
        "draws.insert_receipts",
        (IDS, [WHALE] * 128, IDS, [NOW] * 128, [1] * 128),
        adds(128, indexes=1),
    ),
    Case("draws.find_receipt_owner", (SHOP.opening_id(MIDDLE),), 5),
    Case("draws.find_log_position", (SHOP.opening_id(MIDDLE),), 5),
    Case("draws.list_packs", (), 40),
    Case("draws.list_pack_configs", ([VERSION],), 10),
    Case("draws.list_all_packs", (), 40),
    Case("draws.find_pack", ("bulk-1",), 20),
    Case("draws.lock_pack", (PACK,), 5),
    Case("draws.insert_pack", (ID, "new", 1, NOW), adds(1, indexes=2)),
    Case("draws.upsert_pack_draft", (PACK, {}, NOW), 10),
    Case("draws.list_pack_versions", (PACK,), 10),
    Case("draws.find_pack_config", ("bulk-0", config_hash(0)), 10),
    Case("draws.find_config_by_hash", (config_hash(0),), 5),
    Case(
        "draws.insert_pack_version",
        (ID, PACK, 9, "{}", HASH, None, None, WHALE, NOW),
        adds(1, indexes=3),
    ),
    Case("draws.put_pack_on_sale", (PACK, VERSION), 10),
    Case("draws.withdraw_pack", (PACK, NOW), 10),
    Case("draws.update_pack_position", (PACK, 3), 10),
    Case("draws.update_pack_picture", (PACK, "x"), 10),
    Case("draws.insert_lot", (ID, VERSION, 10, HASH, b"x", HASH), adds(1, indexes=1)),
    Case(
        "draws.insert_lot_items",
        (
            LOT,
            list(range(5_000, 5_128)),
            [CARDS[0]] * 128,
            [None] * 128,
            ["D"] * 128,
            [1] * 128,
            [False] * 128,
            [None] * 128,
        ),
        adds(128, indexes=3),
    ),
    Case("draws.list_lot_manifest", (manifest_root(0), 2_500, 500), 50),
    Case("draws.lock_lot", (LOT,), 5),
    Case("draws.list_positions_drawn_since", (LOT, 2_490), 30),
    Case("draws.take_lot_items", (LOT, list(range(0, 640, 2)), list(range(2_500, 2_820))), 5_500),
    Case("draws.advance_lot", (LOT, 5), 10),
    Case("draws.close_lot", (LOT, HASH, NOW), 10),
    Case("draws.find_lot_server_seed", (LOT,), 5),
    Case(
        "draws.add_tier_counts",
        ([config_hash(0)] * 3, ["Eight"] * 3, ["Slot"] * 3, ["A", "B", "C"], [1, 2, 3]),
        40,
    ),
    Case("draws.mark_lot_items_published", ([LOT] * 32, list(range(1_000, 1_032))), 500),
    Case("draws.count_copies_now", (CARDS,), 500),
    Case("draws.list_counted_versions", (50,), 60),
    Case("draws.list_tier_counts", ([config_hash(0), config_hash(1)],), 20),
)

DRAWLOG: Final = (
    Case("drawlog.find_log_end", (), 5),
    Case(
        "drawlog.insert_leaves",
        (list(range(SHOP.openings, SHOP.openings + 500)), ["{}"] * 500, NOW),
        adds(500, indexes=1),
    ),
    Case("drawlog.list_leaves", (MIDDLE, 5_000), 150),
    Case("drawlog.claim_sequencer", (), 0),
    Case("drawlog.find_checkpoint", (), 5),
    Case("drawlog.insert_checkpoint", (SHOP.openings + 1, "note", "key", NOW), adds(1, indexes=1)),
    Case("drawlog.list_tiles", ([0, 0, 1], [3, 50, 0]), 40),
    Case("drawlog.upsert_tiles", ([0, 0], [3, 500], [HASH * 200, HASH]), adds(2, indexes=1)),
)

BOUNDED_BY_A_LOT: Final = tuple(
    Case(query, (LOT,), 200, sorts=5_000, because="whoever comes to a lot first reads it whole")
    for query in (
        "draws.find_lot_now",
        "draws.list_remaining_lot_items",
        "draws.list_remaining_positions",
    )
)

WHOLE_TABLES: Final = (
    *(
        Case(query, (), None, because="a law is about every row; asked by tests and by watchmen")
        for query in (
            "accounts.check_closed_accounts",
            "catalog.count_copies_of_digital_cards",
            "drawlog.check_leaves",
            "drawlog.check_stock",
            "drawlog.check_tiles",
            "feed.check_feed",
            "vault.check_card_places",
            "wallet.check_ledger",
        )
    ),
    Case("accounts.count_users", (None,), None, because="staff's overview counts everybody"),
    Case("accounts.count_users", ("staff",), None, because="the same"),
    Case(
        "accounts.list_users",
        ("bulk-00012", None, PAGE),
        None,
        because="staff's search looks inside of names and addresses",
    ),
    Case(
        "shipping.count_shipping_requests",
        (["pending", "packing", "shipped", "delivered"],),
        None,
        because="staff's tabs tell how many have arrived",
    ),
    Case("catalog.list_sets", (), None, because="the catalogue is small and its sets are its tabs"),
    *(
        Case(f"readiness.{query}", parameters, None, because="asked by people, of small catalogues")
        for query, parameters in (
            ("list_valid_indexes", ()),
            ("list_index_scans", (["idx_global_feed_tier"],)),
            ("list_server_settings", (["fsync"],)),
            ("count_connections", ()),
            ("find_oldest_event", ()),
            ("is_relay_at_work", ()),
            ("list_dead_rows", (10_000,)),
            ("list_largest_tables", ()),
            ("count_pulls_of_day", (NOW,)),
            ("has_statement_times", ()),
        )
    ),
    *(
        Case(f"plumbing.{query}", parameters, None, because="there are fifty reports at most")
        for query, parameters in (
            ("insert_readiness_report", (WHALE, NOW)),
            ("update_readiness_report", (WHALE, {})),
            ("list_readiness_reports", (5,)),
            ("delete_old_readiness_reports", (50,)),
        )
    ),
)
