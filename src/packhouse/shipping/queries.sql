-- name: insert_shipping_request
-- A collector's request as it begins: pending, paid, the cards reserved.
INSERT INTO shipping_requests (user_id, id, status, address, cost, quote, created_at, updated_at)
VALUES ($1, $2, 'pending', $3, $4, $5, $6, $6)

-- name: insert_shipping_request_items
-- The cards in the parcel, with the value locked when they were drawn.
INSERT INTO shipping_request_items (user_id, shipping_request_id, user_card_id, card_id, stock_item_id, value)
SELECT $1, $2, i.user_card_id, i.card_id, i.stock_item_id, i.value
FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[]) AS i (user_card_id, card_id, stock_item_id, value)

-- name: insert_shipping_request_event
-- One step of the timeline; under the request's row lock the next sequence is free.
INSERT INTO shipping_request_events (user_id, shipping_request_id, sequence, status, actor_id, note, created_at)
SELECT $1, $2, coalesce(max(e.sequence), 0) + 1, $3, $4, $5, $6
FROM shipping_request_events e
WHERE e.user_id = $1 AND e.shipping_request_id = $2

-- name: lock_shipping_request
-- Lock: the request's row; transitions of one request wait for each other here.
SELECT user_id, id, status, address, cost, quote, carrier, tracking_number, created_at, updated_at
FROM shipping_requests
WHERE user_id = $1 AND id = $2
FOR UPDATE

-- name: find_shipping_request
-- One request. Index: shipping_requests_pkey.
SELECT user_id, id, status, address, cost, quote, carrier, tracking_number, created_at, updated_at
FROM shipping_requests
WHERE user_id = $1 AND id = $2

-- name: update_shipping_request
-- A transition that the rules allow; a carrier or number once given stays.
UPDATE shipping_requests
SET status = $3, carrier = coalesce($4, carrier), tracking_number = coalesce($5, tracking_number), updated_at = $6
WHERE user_id = $1 AND id = $2

-- name: list_shipping_requests
-- A collector's own requests, newest first. Index: idx_shipping_requests_user_id.
SELECT user_id, id, status, address, cost, quote, carrier, tracking_number, created_at, updated_at
FROM shipping_requests
WHERE user_id = $1 AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $3

-- name: list_shipping_queue
-- The operator's queue in one status, oldest first; an array of one, as for a tier of the feed: what
-- waits is the newest of all. Index: idx_shipping_requests_status.
SELECT user_id, id, status, address, cost, quote, carrier, tracking_number, created_at, updated_at
FROM shipping_requests
WHERE status = ANY (ARRAY[$1::text]) AND id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
ORDER BY status, id
LIMIT $3

-- name: list_all_shipping_requests
-- The operator's list of everything, newest first. Index: shipping_requests_id_idx.
SELECT user_id, id, status, address, cost, quote, carrier, tracking_number, created_at, updated_at
FROM shipping_requests
WHERE id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $2

-- name: count_shipping_requests
-- How many requests are in each of certain statuses: those still to be sent are few, those that have
-- arrived are ever more. Index: idx_shipping_requests_status.
SELECT status, count(*) AS requests
FROM shipping_requests
WHERE status = ANY ($1::text[])
GROUP BY status

-- name: find_parcel_notice
-- What its collector is told of a request, and no address. Index: shipping_requests_pkey.
SELECT carrier, tracking_number,
       (SELECT count(*) FROM shipping_request_items WHERE user_id = $1 AND shipping_request_id = $2) AS cards
FROM shipping_requests
WHERE user_id = $1 AND id = $2

-- name: count_underway_requests
-- One collector's requests in certain statuses. Index: idx_shipping_requests_user_id.
SELECT count(*)
FROM shipping_requests
WHERE user_id = $1 AND status = ANY ($2::text[])

-- name: erase_addresses
-- Of a closed account's parcels the books keep cost, dates and the country; nobody's address.
-- Index: shipping_requests_pkey.
UPDATE shipping_requests
SET address = jsonb_set('{"name": "", "line1": "", "city": "", "postal_code": ""}', '{country}',
                        coalesce(address -> 'country', 'null'))
WHERE user_id = $1

-- name: erase_notes
-- What the shop wrote to its collector may call them by name. Index: shipping_request_events_pkey.
UPDATE shipping_request_events
SET note = NULL
WHERE user_id = $1 AND note IS NOT NULL

-- name: list_shipping_request_items
-- The cards of one request. Index: shipping_request_items_pkey.
SELECT user_card_id, card_id, stock_item_id, value
FROM shipping_request_items
WHERE user_id = $1 AND shipping_request_id = $2
ORDER BY user_card_id

-- name: list_shipping_request_events
-- The timeline of one request. Index: shipping_request_events_pkey.
SELECT sequence, status, actor_id, note, created_at
FROM shipping_request_events
WHERE user_id = $1 AND shipping_request_id = $2
ORDER BY sequence

-- name: insert_directory_entries
-- Written by the relay: whose a request is, by its id.
INSERT INTO request_directory (id, user_id, created_at)
SELECT d.id, d.user_id, d.created_at
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS d (id, user_id, created_at)
ON CONFLICT DO NOTHING

-- name: find_request_owner
-- Whose a request is. Index: request_directory_pkey.
SELECT user_id
FROM request_directory
WHERE id = $1
