-- name: find_log_end
-- The position of the next leaf. Index: log_leaves_pkey.
SELECT coalesce(max(position) + 1, 0) AS position
FROM log_leaves

-- name: insert_leaves
-- Written by the one relay, in the transaction that publishes what they tell; never changed.
INSERT INTO log_leaves (position, leaf, created_at)
SELECT l.position, l.leaf, $3
FROM unnest($1::bigint[], $2::text[]) AS l (position, leaf)

-- name: list_leaves
-- Leaves from a position on, in order. Index: log_leaves_pkey.
SELECT position, leaf
FROM log_leaves
WHERE position >= $1
ORDER BY position
LIMIT $2

-- name: claim_sequencer
-- True for the one sequencer that may sign in this transaction.
SELECT pg_try_advisory_xact_lock(1380273218)

-- name: find_checkpoint
-- The newest. Index: log_checkpoints_pkey.
SELECT size, note, verifier_key, created_at
FROM log_checkpoints
ORDER BY size DESC
LIMIT 1

-- name: insert_checkpoint
-- One for each size; its key refuses another tree of a size that was signed.
INSERT INTO log_checkpoints (size, note, verifier_key, created_at)
VALUES ($1, $2, $3, $4)

-- name: list_tiles
-- The hashes of certain tiles. Index: log_tiles_pkey.
SELECT t.level, t.number, t.hashes
FROM log_tiles t
JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, number)
    ON t.level = wanted.level AND t.number = wanted.number

-- name: upsert_tiles
-- Tiles at the right edge grow; a full one is not written again.
INSERT INTO log_tiles (level, number, hashes)
SELECT t.level, t.number, t.hashes
FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS t (level, number, hashes)
ON CONFLICT ON CONSTRAINT log_tiles_pkey DO UPDATE
SET hashes = excluded.hashes

-- name: check_leaves
-- Evidence for the law that leaves have no gaps; reads a whole index, not for hot paths.
SELECT count(*) AS leaves, coalesce(max(position) + 1, 0) AS log_end, coalesce(min(position), 0) AS first
FROM log_leaves

-- name: check_stock
-- Evidence for the law that the log tells of every copy: of each physical card the copies added,
-- without those withdrawn and those drawn from odds packs, by the leaves and by what waits to become
-- one, beside the copies on sale outside of lots. One snapshot; reads whole tables, not for hot paths.
WITH facts AS (
    SELECT leaf::jsonb ->> 'kind' AS kind, leaf::jsonb AS fact FROM log_leaves
    UNION ALL
    SELECT kind, payload::jsonb FROM outbox
), moved AS (
    SELECT (c.copy ->> 'card')::uuid AS card_id,
           CASE f.kind WHEN 'stock.added' THEN 1 ELSE -1 END * (c.copy ->> 'copies')::bigint AS copies
    FROM facts f
    CROSS JOIN LATERAL jsonb_array_elements(f.fact -> 'cards') AS c (copy)
    WHERE f.kind IN ('stock.added', 'stock.withdrawn')
    UNION ALL
    SELECT c.card_id::uuid, -1
    FROM facts f
    CROSS JOIN LATERAL jsonb_array_elements_text(f.fact -> 'cards') WITH ORDINALITY AS c (card_id, place)
    WHERE f.kind = 'pack.opened' AND NOT f.fact -> 'paid_out' @> to_jsonb(c.place - 1)
    UNION ALL
    SELECT (c.drawn -> 'card' ->> 'id')::uuid, -1
    FROM outbox o
    JOIN openings p ON p.user_id = o.user_id AND p.id = o.subject_id
    CROSS JOIN LATERAL jsonb_array_elements(p.receipt::jsonb -> 'cards') AS c (drawn)
    WHERE o.kind = 'pack.opened' AND p.receipt::jsonb ->> 'kind' = 'odds'
        AND NOT coalesce((c.drawn ->> 'paid_out')::boolean, false)
), told AS (
    SELECT card_id, sum(copies)::bigint AS copies FROM moved GROUP BY card_id
), counted AS (
    SELECT card_id, count(*) AS copies FROM stock_items
    WHERE place = 'on_sale' AND lot_id IS NULL
    GROUP BY card_id
)
SELECT cards.id AS card_id, coalesce(told.copies, 0) AS told, coalesce(counted.copies, 0) AS counted
FROM cards
LEFT JOIN told ON told.card_id = cards.id
LEFT JOIN counted ON counted.card_id = cards.id
WHERE cards.kind = 'physical'
ORDER BY cards.id

-- name: check_tiles
-- Evidence for the law that the tree is of its leaves; reads a whole table, not for hot paths.
SELECT level, number, hashes
FROM log_tiles
