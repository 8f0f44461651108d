-- transaction: none
-- What: finding a lot's item by its draw.
-- Why: the relay marks what left a lot by the draws that it publishes.
-- Locks: SHARE UPDATE EXCLUSIVE on lot_items; reads and writes go on.
-- Duration: seconds for each ten million rows.

CREATE INDEX CONCURRENTLY IF NOT EXISTS lot_items_lot_id_draw_idx ON lot_items (lot_id, draw) WHERE draw IS NOT NULL;
