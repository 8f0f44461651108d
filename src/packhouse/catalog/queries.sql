-- name: list_cards
-- Cards by id. Index: cards_pkey.
SELECT id, set_code, set_name, number, name, tier, value, kind, weight_grams, flavour, picture
FROM cards
WHERE id = ANY ($1::uuid[])

-- name: list_cards_by_key
-- Cards by set code and number, the elements of two arrays. Index: cards_set_code_number_key.
SELECT id, set_code, set_name, number, name, tier, value, kind, weight_grams, flavour, picture
FROM cards
JOIN unnest($1::text[], $2::text[]) AS wanted (wanted_set_code, wanted_number)
    ON set_code = wanted_set_code AND number = wanted_number

-- name: list_cards_page
-- Staff's list in the order of set code and number, after one card of it. $1 is a LIKE pattern in
-- lower case or NULL. Index: cards_set_code_number_key serves order and keyset; a search reads on
-- until the page is full.
SELECT id, set_code, set_name, number, name, tier, value, kind, weight_grams, flavour, picture
FROM cards
WHERE ($1::text IS NULL OR lower(name) LIKE $1 OR lower(number) LIKE $1)
    AND ($2::text IS NULL OR set_code = $2)
    AND ($3::text IS NULL OR tier = $3)
    AND (set_code, number) > (coalesce($4::text, ''), coalesce($5::text, ''))
ORDER BY set_code, number
LIMIT $6

-- name: list_sets
-- Every set with its number of cards; the catalogue is small.
SELECT set_code, max(set_name) AS set_name, count(*) AS cards
FROM cards
GROUP BY set_code
ORDER BY set_code

-- name: update_cards
-- New facts of existing cards, one for each element of the arrays. Index: cards_pkey.
UPDATE cards
SET set_name = changed.set_name, name = changed.name, tier = changed.tier, value = changed.value,
    weight_grams = changed.weight_grams, flavour = changed.flavour, picture = changed.picture,
    updated_at = $9
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::integer[], $7::text[],
    $8::text[])
    AS changed (id, set_name, name, tier, value, weight_grams, flavour, picture)
WHERE cards.id = changed.id

-- name: claim_stock_items
-- Locks up to so many free copies of each card, the oldest first, from one of its copies on; rows that
-- another transaction holds are skipped, so nobody waits. Entries of copies that are gone stay at the front
-- of the index until it is vacuumed, so whoever knows where the free ones begin is spared a walk over them,
-- which grows with every copy taken. Not one statement with the UPDATE: how many copies a LIMIT by parameter
-- lets through is guessed as a tenth of all, and the join would read the whole table.
-- Index: stock_items_card_id_idx.
SELECT free.card_id, free.id
FROM unnest($1::uuid[], $2::integer[], $3::uuid[]) AS wanted (card_id, copies, front)
CROSS JOIN LATERAL (
    SELECT stock.card_id, stock.id
    FROM stock_items AS stock
    WHERE stock.card_id = wanted.card_id AND stock.id >= wanted.front
        AND stock.place = 'on_sale' AND stock.lot_id IS NULL
    ORDER BY stock.id
    LIMIT wanted.copies
    FOR UPDATE SKIP LOCKED
) AS free

-- name: claim_stock_items_waiting
-- The same, but waits for rows that others hold, because what is held may yet be let go. The arrays
-- are in card id order, and so are the locks. Index: stock_items_card_id_idx.
SELECT free.card_id, free.id
FROM unnest($1::uuid[], $2::integer[]) AS wanted (card_id, copies)
CROSS JOIN LATERAL (
    SELECT stock.card_id, stock.id
    FROM stock_items AS stock
    WHERE stock.card_id = wanted.card_id AND stock.place = 'on_sale' AND stock.lot_id IS NULL
    ORDER BY stock.id
    LIMIT wanted.copies
    FOR UPDATE
) AS free

-- name: hand_out_stock_items
-- Copies that this transaction has claimed go into vaults. Index: stock_items_pkey.
UPDATE stock_items
SET place = 'vaulted', updated_at = $3
FROM unnest($1::uuid[], $2::uuid[]) AS claimed (card_id, id)
WHERE stock_items.card_id = claimed.card_id AND stock_items.id = claimed.id

-- name: hand_out_stock_items_by_id
-- The same for Citus, which keeps the plan of a statement about one table alone; ids are unique.
-- Index: stock_items_pkey.
UPDATE stock_items
SET place = 'vaulted', updated_at = $3
WHERE card_id = ANY ($1::uuid[]) AND id = ANY ($2::uuid[])

-- name: move_stock_items
-- Moves the named items that are in one of the places $3 to the place $4; locks them in the order
-- of their keys first, so that two moves never wait for each other in a circle. What goes back to
-- the house leaves its lot. Index: stock_items_pkey.
WITH held AS MATERIALIZED (
    SELECT stock.card_id, stock.id
    FROM stock_items AS stock
    JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (card_id, id)
        ON stock.card_id = wanted.card_id AND stock.id = wanted.id
    WHERE stock.place = ANY ($3::text[])
    ORDER BY stock.card_id, stock.id
    FOR UPDATE OF stock
)
UPDATE stock_items
SET place = $4, updated_at = $5,
    lot_id = CASE WHEN $4 = 'house' THEN NULL ELSE stock_items.lot_id END
FROM held
WHERE stock_items.card_id = held.card_id AND stock_items.id = held.id
RETURNING stock_items.id

-- name: lock_stock_items
-- The named items of one card, FOR UPDATE in the order of their ids. Index: stock_items_pkey.
SELECT card_id, id, place, lot_id, grade, certificate, photo, location, created_at, updated_at
FROM stock_items
WHERE card_id = $1 AND id = ANY ($2::uuid[])
ORDER BY id
FOR UPDATE

-- name: claim_movable_items
-- Up to $3 items of one card that are in one of the places $2 and in no lot, the oldest first, with
-- the place of each; those that others hold are skipped. Index: stock_items_pkey.
SELECT id, place
FROM stock_items
WHERE card_id = $1 AND place = ANY ($2::text[]) AND lot_id IS NULL
ORDER BY id
LIMIT $3
FOR UPDATE SKIP LOCKED

-- name: count_stock_by_card
-- Free copies on sale of each card that has any. Index: stock_items_card_id_idx.
SELECT card_id, count(*) AS copies
FROM stock_items
WHERE card_id = ANY ($1::uuid[]) AND place = 'on_sale' AND lot_id IS NULL
GROUP BY card_id

-- name: count_stock_by_place
-- Copies of each card in each place. Index: stock_items_pkey.
SELECT card_id, place, count(*) AS copies
FROM stock_items
WHERE card_id = ANY ($1::uuid[])
GROUP BY card_id, place

-- name: list_stock_page
-- The copies of one card, oldest first, after one of them. Index: stock_items_pkey.
SELECT card_id, id, place, lot_id, grade, certificate, photo, location, created_at, updated_at
FROM stock_items
WHERE card_id = $1
    AND ($2::text IS NULL OR place = $2)
    AND id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
ORDER BY id
LIMIT $4

-- name: list_stock_items
-- Copies by card and id, the elements of two arrays. Index: stock_items_pkey.
SELECT stock.card_id, stock.id, place, lot_id, grade, certificate, photo, location, created_at,
    updated_at
FROM stock_items AS stock
JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (card_id, id)
    ON stock.card_id = wanted.card_id AND stock.id = wanted.id

-- name: list_known_certificates
-- Which of the certificates are here already, and where. Index: stock_items_card_id_certificate_key.
SELECT stock.card_id, stock.certificate, stock.place
FROM stock_items AS stock
JOIN unnest($1::uuid[], $2::text[]) AS wanted (card_id, certificate)
    ON stock.card_id = wanted.card_id AND stock.certificate = wanted.certificate

-- name: count_copies_of_digital_cards
-- Copies that break the law that a digital card has none. Index: stock_items_pkey, per card.
SELECT count(*)
FROM stock_items
JOIN cards ON cards.id = stock_items.card_id
WHERE cards.kind = 'digital'

-- name: lock_cards
-- Cards, FOR UPDATE in id order: whoever pauses packs for want of a card and whoever puts copies of
-- it on sale wait for each other here (an import by its foreign key), so that no pause is written
-- that nobody ends. Index: cards_pkey.
SELECT id
FROM cards
WHERE id = ANY ($1::uuid[])
ORDER BY id
FOR UPDATE

-- name: insert_pack_pauses
-- Pauses packs for want of a card; a pause that is there stays. The key order avoids deadlock.
INSERT INTO pack_pauses (pack_id, card_id, created_at)
SELECT paused.pack_id, paused.card_id, $3
FROM unnest($1::uuid[], $2::uuid[]) AS paused (pack_id, card_id)
ORDER BY paused.pack_id, paused.card_id
ON CONFLICT DO NOTHING

-- name: delete_pack_pauses_for_cards
-- Ends the pauses that were for want of these cards. The table is small.
DELETE FROM pack_pauses
WHERE card_id = ANY ($1::uuid[])
RETURNING pack_id

-- name: list_pack_pauses
-- Every pause; the table is small.
SELECT pack_id, card_id, created_at
FROM pack_pauses
ORDER BY pack_id, card_id

-- name: claim_import
-- True for the one import that may write in this transaction.
SELECT pg_try_advisory_xact_lock(1128354121)

-- name: find_catalog_import
-- When this very file was first imported. Index: catalog_imports_pkey.
SELECT imported_at
FROM catalog_imports
WHERE sha256 = $1

-- name: insert_catalog_import
-- Remembers a file by its hash; the first time counts.
INSERT INTO catalog_imports (sha256, file_name, imported_at)
VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING

-- name: bind_stock_items
-- Items that this transaction holds go on sale as part of a lot. Index: stock_items_pkey.
UPDATE stock_items
SET place = 'on_sale', lot_id = $3, updated_at = $4
FROM unnest($1::uuid[], $2::uuid[]) AS bound (card_id, id)
WHERE stock_items.card_id = bound.card_id AND stock_items.id = bound.id AND stock_items.lot_id IS NULL
RETURNING stock_items.id

-- name: list_cards_of_sets
-- Every card of certain sets, in order. Index: cards_set_code_number_key.
SELECT id, set_code, set_name, number, name, tier, value, kind, weight_grams, flavour, picture
FROM cards
WHERE set_code = ANY ($1::text[])
ORDER BY set_code, number

-- name: delete_pack_pauses
-- A pack that was published anew has nothing to rest for. Index: pack_pauses_pkey.
DELETE FROM pack_pauses
WHERE pack_id = $1
