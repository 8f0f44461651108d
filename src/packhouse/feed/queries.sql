-- name: find_last_sequence
-- Where the feed ends. Index: global_feed_pkey.
SELECT coalesce(max(sequence), 0) AS sequence
FROM global_feed

-- name: list_newest_pulls
-- A page of the feed, newest first. Index: global_feed_pkey.
SELECT sequence, username, card, tier, value, pack, opening_id, created_at
FROM global_feed
WHERE sequence < coalesce($1::bigint, 9223372036854775807)
ORDER BY sequence DESC
LIMIT $2

-- name: list_newest_pulls_of_tier
-- The same within one tier. It is asked for as an array of one and sorted by, so that no other index
-- gives the order: a plan for any tier would read the whole feed backwards in search of a rare one.
-- Index: idx_global_feed_tier.
SELECT sequence, username, card, tier, value, pack, opening_id, created_at
FROM global_feed
WHERE tier = ANY (ARRAY[$3::text]) AND sequence < coalesce($1::bigint, 9223372036854775807)
ORDER BY tier, sequence DESC
LIMIT $2

-- name: list_pulls_after
-- What came after a sequence, oldest first, for streams. Index: global_feed_pkey.
SELECT sequence, username, card, tier, value, pack, opening_id, created_at
FROM global_feed
WHERE sequence > $1
ORDER BY sequence
LIMIT $2

-- name: erase_feed_names
-- Pulls of certain openings lose their name. Their time finds them: Index: idx_global_feed_created_at.
UPDATE global_feed
SET username = $3
FROM unnest($1::uuid[], $2::timestamptz[]) AS pulled (opening_id, created_at)
WHERE global_feed.created_at = pulled.created_at AND global_feed.opening_id = pulled.opening_id
    AND global_feed.username <> $3

-- name: insert_feed_erasure
-- What is left to be done of a closed account's pulls: those of openings older than one.
INSERT INTO feed_erasures (user_id, before_opening_id, created_at)
VALUES ($1, $2, $3)

-- name: claim_feed_erasure
-- Some closed account of which names are left, that nobody else is at.
SELECT user_id, before_opening_id
FROM feed_erasures
LIMIT 1
FOR UPDATE SKIP LOCKED

-- name: update_feed_erasure
-- A step further. Index: feed_erasures_pkey.
UPDATE feed_erasures
SET before_opening_id = $2
WHERE user_id = $1

-- name: delete_feed_erasure
-- Done. Index: feed_erasures_pkey.
DELETE FROM feed_erasures
WHERE user_id = $1

-- name: check_feed
-- Evidence for the law that the feed is complete; reads whole tables, not for hot paths.
SELECT
    (SELECT count(*) FROM user_cards) AS cards,
    (SELECT count(*) FROM global_feed) AS pulls,
    (SELECT coalesce(max(sequence), 0) FROM global_feed) AS last,
    (SELECT count(*) FROM user_cards c
     JOIN outbox o ON o.user_id = c.user_id AND o.subject_id = c.opening_id AND o.kind = 'pack.opened') AS waiting
