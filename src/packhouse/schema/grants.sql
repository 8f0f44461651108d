-- Who may do what: one database role for each role of the shop, granted to the logins that run it.
--
-- `packhouse db migrate` takes everything away from these roles and grants what is written here, in one transaction.
-- A table that a role is not named with is closed to it. Only the owner of the tables may change them. What is
-- append-only by law (ledger entries, openings, receipts, leaves, audit log) nobody may change or delete, not even
-- through a bug. FOR UPDATE asks for the right to update a column, so where a row is only locked one is named.

-- Collectors: pages and API do the same, so they may do the same. No word about catalogue, settings or roles.
GRANT SELECT ON schema_migrations, users, user_emails, user_names, sessions, wallets, ledger_entries, top_ups,
    seed_pairs, openings, user_cards, shipping_requests, shipping_request_items, shipping_request_events,
    idempotency_keys, outbox, cards, packs, pack_versions, pack_pauses, stock_items, lots, lot_items, receipts,
    global_feed, feed_erasures, log_leaves, log_tiles, log_checkpoints, tier_counts, settings
    TO packhouse_web, packhouse_api;
GRANT INSERT ON users, user_emails, user_names, sessions, wallets, ledger_entries, top_ups, seed_pairs, openings,
    user_cards, shipping_requests, shipping_request_items, shipping_request_events, idempotency_keys, outbox,
    pack_pauses, feed_erasures TO packhouse_web, packhouse_api;
GRANT UPDATE (username, email, password_hash, birth_date, is_anonymous, closed_at) ON users
    TO packhouse_web, packhouse_api;
GRANT UPDATE (balance, sequence, seed_pair_id, nonce) ON wallets TO packhouse_web, packhouse_api;
GRANT UPDATE (client_seed, first_used_at, revealed_at, server_seed, openings) ON seed_pairs
    TO packhouse_web, packhouse_api;
GRANT UPDATE (state) ON user_cards TO packhouse_web, packhouse_api;
GRANT UPDATE (status, carrier, tracking_number, address, updated_at) ON shipping_requests
    TO packhouse_web, packhouse_api;
GRANT UPDATE (note) ON shipping_request_events TO packhouse_web, packhouse_api;
GRANT UPDATE (payload) ON outbox TO packhouse_web, packhouse_api;
GRANT UPDATE (username) ON global_feed TO packhouse_web, packhouse_api;
GRANT UPDATE (updated_at) ON cards TO packhouse_web, packhouse_api;
GRANT UPDATE (place, lot_id, updated_at) ON stock_items TO packhouse_web, packhouse_api;
GRANT UPDATE (draws, closed_at, server_seed) ON lots TO packhouse_web, packhouse_api;
GRANT UPDATE (draw) ON lot_items TO packhouse_web, packhouse_api;
GRANT DELETE ON sessions, user_emails, user_names, idempotency_keys TO packhouse_web, packhouse_api;
-- Whoever closes an account that acted as staff keeps its name in the audit log: that alone is asked of it.
GRANT SELECT (actor_id) ON audit_log TO packhouse_web, packhouse_api;

-- Live streams read the feed.
GRANT SELECT ON schema_migrations, global_feed TO packhouse_live;

-- Operators: everything that is stocked, priced and fulfilled, and the laws over all of it. No seed, no password,
-- and no opening of packs.
GRANT SELECT ON schema_migrations, user_emails, user_names, sessions, wallets, ledger_entries, top_ups, openings,
    user_cards, shipping_requests, shipping_request_items, shipping_request_events, idempotency_keys, outbox, cards,
    packs, pack_drafts, pack_versions, pack_pauses, stock_items, catalog_imports, lot_items, receipts,
    request_directory, global_feed, feed_erasures, log_leaves, log_tiles, log_checkpoints, tier_counts,
    house_accounts, house_entries, audit_log, settings, readiness_reports TO packhouse_admin;
GRANT SELECT (id, username, email, role, birth_date, is_anonymous, suspended_at, suspension_reason, created_at,
    closed_at) ON users TO packhouse_admin;
GRANT SELECT (user_id, id, commitment, user_key, client_seed, created_at, first_used_at, revealed_at, server_seed,
    openings) ON seed_pairs TO packhouse_admin;
-- A lot that is published anew closes the one before, and a closed lot's seed is revealed.
GRANT SELECT ON lots TO packhouse_admin;
GRANT UPDATE (draws, closed_at, server_seed) ON lots TO packhouse_admin;
GRANT INSERT ON sessions, ledger_entries, shipping_request_events, idempotency_keys, outbox, cards, packs,
    pack_drafts, pack_versions, stock_items, catalog_imports, lots, lot_items, audit_log, settings,
    readiness_reports TO packhouse_admin;
GRANT UPDATE (role, suspended_at, suspension_reason) ON users TO packhouse_admin;
GRANT UPDATE (balance, sequence, nonce) ON wallets TO packhouse_admin;
GRANT UPDATE (state) ON user_cards TO packhouse_admin;
GRANT UPDATE (status, carrier, tracking_number, updated_at) ON shipping_requests TO packhouse_admin;
GRANT UPDATE ON cards, packs, pack_drafts, stock_items, settings, readiness_reports TO packhouse_admin;
GRANT UPDATE (draw) ON lot_items TO packhouse_admin;
GRANT DELETE ON sessions, pack_pauses, pack_drafts, readiness_reports TO packhouse_admin;

-- The loops behind the shop: events become feed, log and the house's books; seeds are revealed; names are erased.
GRANT SELECT (token_hash, expires_at) ON sessions TO packhouse_worker;
GRANT SELECT ON schema_migrations, wallets, ledger_entries, seed_pairs, openings, outbox, cards,
    pack_versions, lots, lot_items, receipts, request_directory, global_feed, feed_erasures, log_leaves, log_tiles,
    log_checkpoints, tier_counts, house_accounts, house_entries, settings TO packhouse_worker;
GRANT INSERT ON seed_pairs, outbox, receipts, request_directory, global_feed, log_leaves, log_tiles,
    log_checkpoints, tier_counts, house_accounts, house_entries TO packhouse_worker;
GRANT UPDATE (seed_pair_id, nonce) ON wallets TO packhouse_worker;
GRANT UPDATE (revealed_at, server_seed, openings) ON seed_pairs TO packhouse_worker;
GRANT UPDATE (is_published) ON lot_items TO packhouse_worker;
GRANT UPDATE (username) ON global_feed TO packhouse_worker;
GRANT UPDATE ON feed_erasures, log_tiles, tier_counts, house_accounts TO packhouse_worker;
GRANT DELETE ON outbox, sessions, feed_erasures TO packhouse_worker;
-- Letters: whom to write to, and what is told of a parcel, which is not where it goes.
GRANT SELECT (id, username, email, closed_at) ON users TO packhouse_worker;
GRANT SELECT (user_id, id, carrier, tracking_number) ON shipping_requests TO packhouse_worker;
GRANT SELECT (user_id, shipping_request_id) ON shipping_request_items TO packhouse_worker;
GRANT SELECT (user_id, id, state, sell_back_amount, sell_back_until, created_at) ON user_cards TO packhouse_worker;
GRANT SELECT ON sell_back_notices TO packhouse_worker;
GRANT INSERT ON sell_back_notices TO packhouse_worker;
GRANT DELETE ON sell_back_notices TO packhouse_worker;

-- Jobs: workers take them, note what became of them, and keep the schedules; operators put them there, and try a
-- dead letter again or discard it. The tables are PgQueuer's, which looks whether each of them is there.
GRANT USAGE ON SCHEMA jobs TO packhouse_worker, packhouse_admin;
GRANT SELECT ON jobs.pgqueuer, jobs.pgqueuer_log TO packhouse_worker, packhouse_admin;
GRANT SELECT ON jobs.pgqueuer_schedules, jobs.pgqueuer_statistics TO packhouse_worker;
GRANT INSERT ON jobs.pgqueuer, jobs.pgqueuer_log TO packhouse_worker, packhouse_admin;
GRANT INSERT ON jobs.pgqueuer_schedules TO packhouse_worker;
GRANT UPDATE ON jobs.pgqueuer, jobs.pgqueuer_schedules TO packhouse_worker;
GRANT UPDATE (status, execute_after, updated, attempts, queue_manager_id) ON jobs.pgqueuer TO packhouse_admin;
GRANT DELETE ON jobs.pgqueuer TO packhouse_worker, packhouse_admin;
GRANT DELETE ON jobs.pgqueuer_log TO packhouse_worker;
GRANT USAGE ON SEQUENCE jobs.pgqueuer_id_seq TO packhouse_worker, packhouse_admin;
GRANT USAGE ON SEQUENCE jobs.pgqueuer_schedules_id_seq TO packhouse_worker;
