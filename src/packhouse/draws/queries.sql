-- name: list_opening_standings
-- What deciding an opening needs, one row for each user: whether the session that asks is still there,
-- what the same request was answered before, who, wallet, seed pair in force, and whether the pack is on
-- sale. Indexes: users_pkey, wallets_pkey, seed_pairs_pkey, sessions_pkey, idempotency_keys_pkey,
-- packs_pkey, pack_pauses_pkey.
SELECT u.id AS user_id, u.username, u.role, u.is_anonymous, u.suspended_at, u.closed_at,
       (wanted.token_hash IS NULL OR t.user_id IS NOT DISTINCT FROM u.id) AS has_session,
       w.balance, w.sequence, w.nonce, w.seed_pair_id,
       s.sealed_server_seed, s.commitment, s.user_key, s.client_seed,
       k.request_hash, k.answer,
       CASE WHEN p.withdrawn_at IS NULL THEN p.current_version_id END AS version_id,
       EXISTS (SELECT 1 FROM pack_pauses z WHERE z.pack_id = p.id) AS is_paused
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[])
    AS wanted (user_id, pack_id, route, key, token_hash)
JOIN users u ON u.id = wanted.user_id
JOIN wallets w ON w.user_id = wanted.user_id
JOIN seed_pairs s ON s.user_id = w.user_id AND s.id = w.seed_pair_id
LEFT JOIN sessions t ON t.token_hash = wanted.token_hash AND t.expires_at > $6
LEFT JOIN idempotency_keys k
    ON k.user_id = wanted.user_id AND k.route = wanted.route AND k.key = wanted.key
LEFT JOIN packs p ON p.id = wanted.pack_id

-- name: find_opener
-- What list_opening_standings tells of one user, for a database where users, packs and sessions are on
-- different servers: to ask for each alone costs less. Indexes: users_pkey, wallets_pkey, seed_pairs_pkey,
-- idempotency_keys_pkey.
SELECT u.id AS user_id, u.username, u.role, u.is_anonymous, u.suspended_at, u.closed_at,
       w.balance, w.sequence, w.nonce, w.seed_pair_id,
       s.sealed_server_seed, s.commitment, s.user_key, s.client_seed,
       k.request_hash, k.answer
FROM users u
JOIN wallets w ON w.user_id = u.id
JOIN seed_pairs s ON s.user_id = w.user_id AND s.id = w.seed_pair_id
LEFT JOIN idempotency_keys k ON k.user_id = u.id AND k.route = $2 AND k.key = $3
WHERE u.id = $1

-- name: find_version_on_sale
-- Of the pack. Index: packs_pkey.
SELECT current_version_id
FROM packs
WHERE id = $1 AND withdrawn_at IS NULL

-- name: is_pack_paused
-- True, or no row. Index: pack_pauses_pkey.
SELECT true
FROM pack_pauses
WHERE pack_id = $1
LIMIT 1

-- name: find_session_holder
-- Whose a session is that has not ended. Index: sessions_pkey.
SELECT user_id
FROM sessions
WHERE token_hash = $1 AND expires_at > $2

-- name: insert_seed_pair
-- A fresh pair.
INSERT INTO seed_pairs (user_id, id, sealed_server_seed, commitment, user_key, client_seed, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: find_seed_pair
-- One pair of a user. Index: seed_pairs_pkey.
SELECT id, commitment, user_key, client_seed, created_at, first_used_at, revealed_at, server_seed, openings
FROM seed_pairs
WHERE user_id = $1 AND id = $2

-- name: list_commitments
-- What the shop has committed to for several users just now. Indexes: wallets_pkey, seed_pairs_pkey.
SELECT wallets.user_id, pair.commitment
FROM wallets
JOIN seed_pairs AS pair ON pair.user_id = wallets.user_id AND pair.id = wallets.seed_pair_id
WHERE wallets.user_id = ANY ($1::uuid[])

-- name: list_revealed_seed_pairs
-- A user's past pairs, newest first. Index: seed_pairs_pkey.
SELECT id, commitment, user_key, client_seed, created_at, first_used_at, revealed_at, server_seed, openings
FROM seed_pairs
WHERE user_id = $1 AND revealed_at IS NOT NULL
ORDER BY id DESC
LIMIT $2

-- name: list_seed_pairs
-- All of a user's pairs, newest first. Index: seed_pairs_pkey.
SELECT id, commitment, user_key, client_seed, created_at, first_used_at, revealed_at, server_seed, openings
FROM seed_pairs
WHERE user_id = $1 AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $3

-- name: find_sealed_server_seed
-- The sealed secret of one pair.
SELECT sealed_server_seed
FROM seed_pairs
WHERE user_id = $1 AND id = $2

-- name: reveal_seed_pair
-- Ends a pair: its secret is public from now on, and how many openings were made under it.
UPDATE seed_pairs
SET server_seed = $3, revealed_at = $4, openings = $5
WHERE user_id = $1 AND id = $2 AND revealed_at IS NULL
RETURNING id

-- name: list_due_seed_pairs
-- Pairs used for the first time at or before a moment whose seeds are still secret, oldest first.
-- Index: seed_pairs_first_used_at_idx.
SELECT user_id, id, first_used_at
FROM seed_pairs
WHERE first_used_at <= $1 AND revealed_at IS NULL
ORDER BY first_used_at
LIMIT $2

-- name: update_client_seed
-- The seed that is used when a request brings none.
UPDATE seed_pairs
SET client_seed = $3
WHERE user_id = $1 AND id = $2 AND revealed_at IS NULL

-- name: erase_client_seeds
-- What a closed account's collector typed is kept in receipts alone, where proofs need it.
-- Index: seed_pairs_pkey.
UPDATE seed_pairs
SET client_seed = ''
WHERE user_id = $1

-- name: mark_first_use
-- Starts the clock of seven days for pairs that are used for the first time.
UPDATE seed_pairs
SET first_used_at = $3
FROM unnest($1::uuid[], $2::uuid[]) AS used (user_id, id)
WHERE seed_pairs.user_id = used.user_id AND seed_pairs.id = used.id AND seed_pairs.first_used_at IS NULL

-- name: insert_openings
-- One row for each opened pack.
INSERT INTO openings (user_id, id, pack_version_id, seed_pair_id, nonce, price, receipt, created_at)
SELECT o.user_id, o.id, o.pack_version_id, o.seed_pair_id, o.nonce, o.price, o.receipt, $8
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[])
    AS o (user_id, id, pack_version_id, seed_pair_id, nonce, price, receipt)

-- name: list_openings
-- A user's own history, newest first. Index: openings_pkey.
SELECT id, receipt
FROM openings
WHERE user_id = $1 AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $3

-- name: list_opening_times
-- When a user's openings were made, newest first. Index: openings_pkey.
SELECT id, created_at
FROM openings
WHERE user_id = $1 AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $3

-- name: list_opening_receipts
-- The receipts of certain openings. Index: openings_pkey.
SELECT o.user_id, o.id, o.seed_pair_id, o.receipt, o.created_at
FROM openings o
JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (user_id, id)
    ON o.user_id = wanted.user_id AND o.id = wanted.id

-- name: list_opening_receipts_of_shards
-- The same where openings are on several servers: of those alone that have them. Index: openings_pkey.
SELECT user_id, id, seed_pair_id, receipt, created_at
FROM openings
WHERE user_id = ANY ($1::uuid[]) AND id = ANY ($2::uuid[])

-- name: insert_receipts
-- Whose receipts are, by their public id.
INSERT INTO receipts (id, user_id, seed_pair_id, created_at, log_position)
SELECT r.id, r.user_id, r.seed_pair_id, r.created_at, r.log_position
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::bigint[])
    AS r (id, user_id, seed_pair_id, created_at, log_position)
ON CONFLICT DO NOTHING

-- name: find_receipt_owner
-- Whose a public receipt is: with that it is found in openings. Index: receipts_pkey.
SELECT user_id
FROM receipts
WHERE id = $1

-- name: find_log_position
-- Where an opening's leaf is in the draw log. Index: receipts_pkey.
SELECT log_position
FROM receipts
WHERE id = $1

-- name: list_packs
-- Every pack on sale with its version, and for a lot how much is drawn. A few rows.
SELECT p.id AS pack_id, p.slug, p.position, p.picture, v.id AS version_id, v.config_hash, v.lot_id, v.published_at,
       l.draws, l.size, l.closed_at IS NOT NULL AS is_closed,
       EXISTS (SELECT 1 FROM pack_pauses s WHERE s.pack_id = p.id) AS is_paused
FROM packs p
JOIN pack_versions v ON v.id = p.current_version_id
LEFT JOIN lots l ON l.id = v.lot_id
WHERE p.withdrawn_at IS NULL
ORDER BY p.position, p.slug

-- name: list_pack_configs
-- The published words of certain versions; they never change.
SELECT id, config
FROM pack_versions
WHERE id = ANY ($1::uuid[])

-- name: list_all_packs
-- Every pack, also drafts and withdrawn ones, for operators.
SELECT p.id, p.slug, p.position, p.picture, p.withdrawn_at, p.created_at, p.current_version_id, d.draft,
       v.number AS version_number, v.published_at,
       EXISTS (SELECT 1 FROM pack_pauses s WHERE s.pack_id = p.id) AS is_paused
FROM packs p
LEFT JOIN pack_drafts d ON d.pack_id = p.id
LEFT JOIN pack_versions v ON v.id = p.current_version_id
ORDER BY p.position, p.slug

-- name: find_pack
-- One pack by its slug, for operators. Index: packs_slug_key.
SELECT p.id, p.slug, p.position, p.picture, p.withdrawn_at, p.created_at, p.current_version_id, d.draft,
       v.number AS version_number, v.published_at,
       EXISTS (SELECT 1 FROM pack_pauses s WHERE s.pack_id = p.id) AS is_paused
FROM packs p
LEFT JOIN pack_drafts d ON d.pack_id = p.id
LEFT JOIN pack_versions v ON v.id = p.current_version_id
WHERE p.slug = $1

-- name: lock_pack
-- One publication of a pack at a time.
SELECT id
FROM packs
WHERE id = $1
FOR UPDATE

-- name: insert_pack
-- A pack without a version yet.
INSERT INTO packs (id, slug, position, created_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
RETURNING id

-- name: upsert_pack_draft
-- What the operator works on.
INSERT INTO pack_drafts (pack_id, draft, updated_at)
VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT pack_drafts_pkey DO UPDATE
SET draft = excluded.draft, updated_at = excluded.updated_at

-- name: list_pack_versions
-- A pack's published versions, newest first.
SELECT id, number, config, config_hash, lot_id, reason, published_by, published_at
FROM pack_versions
WHERE pack_id = $1
ORDER BY number DESC

-- name: find_pack_config
-- One published version's canonical JSON, also when it is no longer on sale.
-- Index: pack_versions_config_hash_key.
SELECT v.config
FROM pack_versions v
JOIN packs p ON p.id = v.pack_id
WHERE v.config_hash = $2 AND p.slug = $1

-- name: find_config_by_hash
-- The same without knowing its pack. Index: pack_versions_config_hash_key.
SELECT config
FROM pack_versions
WHERE config_hash = $1

-- name: insert_pack_version
-- A version is written once and never changed.
INSERT INTO pack_versions (id, pack_id, number, config, config_hash, lot_id, reason, published_by, published_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: put_pack_on_sale
-- Makes a version the one on sale.
UPDATE packs
SET current_version_id = $2, withdrawn_at = NULL
WHERE id = $1

-- name: withdraw_pack
-- Takes a pack off sale.
UPDATE packs
SET withdrawn_at = $2
WHERE id = $1 AND withdrawn_at IS NULL
RETURNING id

-- name: update_pack_position
-- Where the pack stands in the shop's list.
UPDATE packs
SET position = $2
WHERE id = $1

-- name: update_pack_picture
-- How the pack looks on the shelf; no part of what is published and hashed.
UPDATE packs
SET picture = $2
WHERE id = $1

-- name: insert_lot
-- A lot with its commitment and its manifest's root.
INSERT INTO lots (id, pack_version_id, size, commitment, sealed_server_seed, manifest_root)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: insert_lot_items
-- The manifest.
INSERT INTO lot_items (lot_id, position, card_id, stock_item_id, tier, value, is_last_one, photo)
SELECT $1, i.position, i.card_id, i.stock_item_id, i.tier, i.value, i.is_last_one, i.photo
FROM unnest($2::integer[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::boolean[], $8::text[])
    AS i (position, card_id, stock_item_id, tier, value, is_last_one, photo)

-- name: list_lot_manifest
-- The manifest with a root, in its order; lots are few, and equal manifests are equal line by line.
-- Index: lot_items_pkey.
SELECT position, card_id AS card, stock_item_id, tier, value, is_last_one, photo
FROM lot_items
WHERE lot_id = (SELECT id FROM lots WHERE manifest_root = $1 ORDER BY id LIMIT 1) AND position >= $2
ORDER BY position
LIMIT $3

-- name: lock_lot
-- Draws of a lot are numbered densely under this row's lock.
SELECT id, size, draws, commitment, sealed_server_seed, manifest_root, closed_at IS NOT NULL AS is_closed
FROM lots
WHERE id = $1
FOR UPDATE

-- name: list_remaining_lot_items
-- What is left of a lot in the manifest's order. Index: lot_items_lot_id_position_idx.
SELECT position, card_id AS card, stock_item_id, tier, value, is_last_one, photo
FROM lot_items
WHERE lot_id = $1 AND draw IS NULL
ORDER BY position

-- name: find_lot_now
-- What a lot's manifest promised and what is left of it, for each prize, as of the feed's end: one
-- statement is one snapshot, so what is not published has left with no pull up to that sequence.
-- Indexes: global_feed_pkey, lots_pkey, lot_items_pkey.
SELECT (SELECT coalesce(max(sequence), 0) FROM global_feed) AS sequence, l.server_seed,
       i.card_id, i.tier, i.value, i.is_last_one, count(*) AS listed,
       count(*) FILTER (WHERE i.draw IS NULL) AS remaining,
       count(*) FILTER (WHERE NOT i.is_published) AS unpulled
FROM lots l
JOIN lot_items i ON i.lot_id = l.id
WHERE l.id = $1
GROUP BY l.server_seed, i.card_id, i.tier, i.value, i.is_last_one
ORDER BY i.value DESC, i.card_id

-- name: list_remaining_positions
-- Where what may still be drawn of a lot stands in its manifest. Index: lot_items_lot_id_position_idx.
SELECT array_agg(position ORDER BY position)
FROM lot_items
WHERE lot_id = $1 AND draw IS NULL AND NOT is_last_one

-- name: list_positions_drawn_since
-- What left a lot with a certain draw or later. Index: lot_items_lot_id_draw_idx.
SELECT position
FROM lot_items
WHERE lot_id = $1 AND draw >= $2

-- name: take_lot_items
-- Items leave a lot exactly once, each with the number of its draw. Index: lot_items_pkey.
UPDATE lot_items
SET draw = taken.draw
FROM unnest($2::integer[], $3::integer[]) AS taken (position, draw)
WHERE lot_items.lot_id = $1 AND lot_items.position = taken.position AND lot_items.draw IS NULL
RETURNING lot_items.position, lot_items.card_id AS card, lot_items.stock_item_id, lot_items.tier,
    lot_items.value, lot_items.is_last_one, lot_items.photo

-- name: advance_lot
-- Counts the draws.
UPDATE lots
SET draws = draws + $2
WHERE id = $1

-- name: close_lot
-- Ends a lot, with its last draw or before: its seed is public from now on.
UPDATE lots
SET server_seed = $2, closed_at = $3
WHERE id = $1

-- name: find_lot_server_seed
-- The revealed seed of a lot. Index: lots_pkey.
SELECT server_seed
FROM lots
WHERE id = $1

-- name: add_tier_counts
-- Counts cards as they are published; the caller sorts the rows, so the locks are taken in one order.
INSERT INTO tier_counts (config_hash, layout, slot, tier, cards)
SELECT c.config_hash, c.layout, c.slot, c.tier, c.cards
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    AS c (config_hash, layout, slot, tier, cards)
ON CONFLICT ON CONSTRAINT tier_counts_pkey DO UPDATE
SET cards = tier_counts.cards + excluded.cards

-- name: mark_lot_items_published
-- Drawn items leave the public view with their pulls; the last-one prize, which has no draw, with its
-- lot's last draw. Indexes: lot_items_lot_id_draw_idx, lots_pkey, lot_items_pkey.
UPDATE lot_items
SET is_published = true
FROM (
    SELECT i.lot_id, i.position
    FROM unnest($1::uuid[], $2::integer[]) AS drawn (lot_id, draw)
    JOIN lot_items i ON i.lot_id = drawn.lot_id AND i.draw = drawn.draw
    UNION ALL
    SELECT i.lot_id, i.position
    FROM unnest($1::uuid[], $2::integer[]) AS drawn (lot_id, draw)
    JOIN lots l ON l.id = drawn.lot_id AND l.size = drawn.draw + 1
    JOIN lot_items i ON i.lot_id = l.id AND i.is_last_one
) AS leaving
WHERE lot_items.lot_id = leaving.lot_id AND lot_items.position = leaving.position

-- name: count_copies_now
-- Free copies on sale of each card, as of the feed's end; one row without a card when none is asked
-- for. Counting card by card is twice as fast as grouping. Indexes: global_feed_pkey,
-- stock_items_card_id_idx.
SELECT feed.sequence, wanted.card_id,
       (SELECT count(*)
        FROM stock_items stock
        WHERE stock.card_id = wanted.card_id AND stock.place = 'on_sale' AND stock.lot_id IS NULL) AS copies
FROM (SELECT coalesce(max(sequence), 0) AS sequence FROM global_feed) AS feed
LEFT JOIN unnest($1::uuid[]) AS wanted (card_id) ON true

-- name: list_counted_versions
-- Versions on sale, and past ones of which cards are counted, on sale and newest first.
-- Indexes: tier_counts_pkey, packs_pkey.
SELECT v.id, p.slug, v.number, v.config_hash, v.published_at, l.server_seed,
       (p.withdrawn_at IS NULL AND p.current_version_id IS NOT DISTINCT FROM v.id) AS is_on_sale
FROM pack_versions v
JOIN packs p ON p.id = v.pack_id
LEFT JOIN lots l ON l.id = v.lot_id
WHERE (p.withdrawn_at IS NULL AND p.current_version_id = v.id)
    OR EXISTS (SELECT 1 FROM tier_counts c WHERE c.config_hash = v.config_hash)
ORDER BY is_on_sale DESC, v.id DESC
LIMIT $1

-- name: list_tier_counts
-- How many cards of each tier certain versions gave. Index: tier_counts_pkey.
SELECT config_hash, layout, slot, tier, cards
FROM tier_counts
WHERE config_hash = ANY ($1::bytea[])

-- name: list_sell_back_windows
-- For how long cards of any published version may be sold back, each length once; reads all versions.
SELECT DISTINCT (config::jsonb #>> '{sell_back,window_seconds}')::bigint AS window_seconds
FROM pack_versions
ORDER BY window_seconds
