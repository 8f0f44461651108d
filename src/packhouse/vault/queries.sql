-- name: list_user_cards_by_newest
-- A page of the vault, newest first, after one card of it or from the beginning: a keyset that is NULL
-- stands for the end of all, so that it is where the index is entered and no condition on what was read.
-- A state is looked for until the page is full. Index: user_cards_pkey.
SELECT user_id, id, card_id, stock_item_id, opening_id, tier, value, state, sell_back_amount, sell_back_until, created_at
FROM user_cards
WHERE user_id = $1 AND ($2::text IS NULL OR state = $2)
    AND id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $4

-- name: list_packed_pages
-- The newest cards of several users at once: of each one row, with the cards as rows of bytes of a fixed
-- width, ids as text, for a reader that puts them into an answer as they are; see PackedCard. Two thirds of
-- what such a page costs is to decode a value for each column. Index: user_cards_pkey.
SELECT asked.user_id, ARRAY(
    SELECT textsend(id::text) || textsend(opening_id::text) || uuid_send(card_id) || int8send(value) || int8send(sell_back_amount)
        || timestamptz_send(sell_back_until) || timestamptz_send(created_at) || boolsend(stock_item_id IS NOT NULL)
        || textsend(rpad(tier, 3) || rpad(state, 9))
    FROM user_cards
    WHERE user_id = asked.user_id AND ($2::text IS NULL OR state = $2)
        AND id < 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
    ORDER BY id DESC
    LIMIT $3
) AS cards
FROM unnest($1::uuid[]) AS asked (user_id)

-- name: list_user_cards_of_tier_by_newest
-- The same within one tier. Index: idx_user_cards_tier.
SELECT user_id, id, card_id, stock_item_id, opening_id, tier, value, state, sell_back_amount, sell_back_until, created_at
FROM user_cards
WHERE tier = $5 AND user_id = $1 AND ($2::text IS NULL OR state = $2)
    AND id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $4

-- name: list_user_cards_by_value
-- A page of the vault, dearest first; a tier or a state is looked for until the page is full.
-- Index: idx_user_cards_user_id.
SELECT user_id, id, card_id, stock_item_id, opening_id, tier, value, state, sell_back_amount, sell_back_until, created_at
FROM user_cards
WHERE user_id = $1 AND ($2::text IS NULL OR state = $2) AND ($5::text IS NULL OR tier = $5)
    AND (value, id) < (coalesce($6::bigint, 9223372036854775807), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
ORDER BY value DESC, id DESC
LIMIT $4

-- name: list_user_cards
-- Certain cards of one user, whatever their state. Index: user_cards_pkey.
SELECT user_id, id, card_id, stock_item_id, opening_id, tier, value, state, sell_back_amount, sell_back_until, created_at
FROM user_cards
WHERE user_id = $1 AND id = ANY ($2::uuid[])
ORDER BY id

-- name: update_user_card_states
-- Moves cards of one user from one state to another; gives those that were in the first.
UPDATE user_cards
SET state = $4
WHERE user_id = $1 AND id = ANY ($2::uuid[]) AND state = $3
RETURNING id

-- name: forfeit_user_cards
-- Everything in one user's vault is given up; the wallet is locked before. Index: user_cards_pkey.
UPDATE user_cards
SET state = 'forfeited'
WHERE user_id = $1 AND state = 'vaulted'
RETURNING card_id, stock_item_id

-- name: count_user_cards
-- How many cards a user has in each tier and state, for the vault's tabs: all of them are read. By id,
-- which every card's is above zero, because cards of one opening lie together; in the order of value each
-- would be a page of its own. Index: user_cards_pkey.
SELECT tier, state, count(*) AS cards
FROM user_cards
WHERE user_id = $1 AND id > '00000000-0000-0000-0000-000000000000'::uuid
GROUP BY tier, state

-- name: check_card_places
-- Evidence for the law that every card has one place; reads whole tables, not for hot paths. Cards that
-- have a copy are listed first: where they and the copies are on different servers, they are not joined there.
WITH held AS MATERIALIZED (
    SELECT card_id, stock_item_id, state
    FROM user_cards
    WHERE stock_item_id IS NOT NULL AND state IN ('vaulted', 'reserved', 'shipped', 'lost')
)
SELECT
    (SELECT count(*) FROM (SELECT stock_item_id FROM held
                           GROUP BY stock_item_id HAVING count(*) > 1) AS twice) AS shared,
    (SELECT count(*) FROM held u
     LEFT JOIN stock_items s ON s.card_id = u.card_id AND s.id = u.stock_item_id
     WHERE s.place IS DISTINCT FROM u.state) AS misplaced,
    (SELECT count(*) FROM stock_items s
     WHERE s.place IN ('vaulted', 'reserved', 'shipped')
         AND NOT EXISTS (SELECT 1 FROM held u WHERE u.stock_item_id = s.id
                         AND u.card_id = s.card_id AND u.state = s.place)) AS ownerless

-- name: list_users_with_ending
-- Whose cards of a span of openings may be sold back until a span of time, all of one window apart; an hour's
-- at a time. Index: idx_user_cards_created_at.
SELECT DISTINCT user_id
FROM user_cards
WHERE created_at >= $1 AND created_at < $2
    AND state = 'vaulted' AND sell_back_amount > 0 AND sell_back_until >= $3 AND sell_back_until < $4

-- name: insert_sell_back_notices
-- Notes who is told of a day; gives those who were not told before.
INSERT INTO sell_back_notices (user_id, day)
SELECT told.user_id, $2
FROM unnest($1::uuid[]) AS told (user_id)
ON CONFLICT DO NOTHING
RETURNING user_id

-- name: delete_old_sell_back_notices
-- Of days that are over; reads the table, which has a few days' rows. Index: sell_back_notices_pkey.
DELETE FROM sell_back_notices
WHERE day < $1

-- name: count_ending
-- One collector's cards whose sell-back time ends within a span, and what they would bring. By id, as in
-- count_user_cards. Index: user_cards_pkey.
SELECT count(*) AS cards, coalesce(sum(sell_back_amount), 0)::bigint AS amount
FROM user_cards
WHERE user_id = $1 AND id > '00000000-0000-0000-0000-000000000000'::uuid
    AND state = 'vaulted' AND sell_back_amount > 0 AND sell_back_until >= $2 AND sell_back_until < $3
