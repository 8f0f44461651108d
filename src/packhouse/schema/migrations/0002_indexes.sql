-- transaction: none
-- What: the seven indexes that the plan names, and the few more that a query of ours uses.
-- Why: each hot read must cost log n; a column after the named one serves the page's order or filter.
-- Locks: SHARE UPDATE EXCLUSIVE on one table at a time; reads and writes go on.
-- Duration: seconds for each ten million rows.

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_user_cards_user_id ON user_cards (user_id, value DESC, id DESC);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_user_cards_tier ON user_cards (tier, user_id, id DESC);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_user_cards_created_at ON user_cards (created_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_global_feed_tier ON global_feed (tier, sequence DESC);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_global_feed_created_at ON global_feed (created_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_shipping_requests_user_id ON shipping_requests (user_id, id DESC);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_shipping_requests_status ON shipping_requests (status, id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS stock_items_card_id_idx ON stock_items (card_id, id) WHERE place = 'on_sale' AND lot_id IS NULL;

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS stock_items_card_id_certificate_key ON stock_items (card_id, certificate) WHERE certificate IS NOT NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS lot_items_lot_id_position_idx ON lot_items (lot_id, position) WHERE draw IS NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_user_id_idx ON sessions (user_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_expires_at_idx ON sessions (expires_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS seed_pairs_first_used_at_idx ON seed_pairs (first_used_at) WHERE revealed_at IS NULL AND first_used_at IS NOT NULL;
