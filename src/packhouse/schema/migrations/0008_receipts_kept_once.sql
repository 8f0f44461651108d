-- transaction: none
-- What: `receipts` is a directory to `openings`, where alone a receipt is kept, as it is; a summary of
--   blocks in the place of the B-tree on `user_cards.created_at`.
-- Why: a receipt was compressed and written twice, the dearest thing of an opening; and no page asks for
--   cards by their time, so that an entry for each card was paid for and never read.
-- Locks: ACCESS EXCLUSIVE on receipts for an instant; then SHARE UPDATE EXCLUSIVE; reads and writes go on.
-- Duration: seconds for each ten million user cards; every statement may be run again. Web servers of the
--   version before read the text in `receipts`, so the worker of this one is started after they are gone.

ALTER TABLE receipts ALTER COLUMN receipt DROP NOT NULL;

ALTER TABLE openings SET (toast_tuple_target = 8160);

DROP INDEX CONCURRENTLY IF EXISTS idx_user_cards_created_at;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_user_cards_created_at ON user_cards USING brin (created_at);
