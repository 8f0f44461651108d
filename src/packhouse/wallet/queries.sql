-- name: insert_wallet
-- A new user's empty wallet.
INSERT INTO wallets (user_id, seed_pair_id)
VALUES ($1, $2)

-- name: find_wallet
-- The wallet as it is. Index: wallets_pkey.
SELECT user_id, balance, sequence, seed_pair_id, nonce
FROM wallets
WHERE user_id = $1

-- name: list_balances
-- What several users have, for the pages that they look at. Index: wallets_pkey.
SELECT user_id, balance
FROM wallets
WHERE user_id = ANY ($1::uuid[])

-- name: lock_wallet
-- Lock: the wallet's row until the transaction ends; flows of one user wait for each other here.
SELECT user_id, balance, sequence, seed_pair_id, nonce
FROM wallets
WHERE user_id = $1
FOR UPDATE

-- name: advance_wallets
-- Compare-and-swap: steps each wallet on only if it still is as it was read; gives whose step was made.
UPDATE wallets
SET balance = wallets.balance + step.amount,
    sequence = wallets.sequence + step.entries,
    nonce = wallets.nonce + step.nonces
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
    AS step (user_id, seed_pair_id, sequence, nonce, amount, entries, nonces)
WHERE wallets.user_id = step.user_id
    AND wallets.seed_pair_id = step.seed_pair_id
    AND wallets.sequence = step.sequence
    AND wallets.nonce = step.nonce
    AND wallets.balance + step.amount >= 0
RETURNING wallets.user_id

-- name: insert_ledger_entries
-- Append only; the key (user, sequence) makes a second entry in the same place impossible.
INSERT INTO ledger_entries (user_id, sequence, kind, amount, balance_after, counterparty, reference, created_at)
SELECT e.user_id, e.sequence, e.kind, e.amount, e.balance_after, e.counterparty, e.reference, $8
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::uuid[])
    AS e (user_id, sequence, kind, amount, balance_after, counterparty, reference)

-- name: list_ledger_entries
-- A page of a user's entries, newest first. Index: ledger_entries_pkey.
SELECT sequence, kind, amount, balance_after, counterparty, reference, created_at
FROM ledger_entries
WHERE user_id = $1 AND sequence < coalesce($2::bigint, 9223372036854775807)
ORDER BY sequence DESC
LIMIT $3

-- name: replace_seed_pair
-- Puts a fresh seed pair in force under the wallet's lock; the nonce starts again.
UPDATE wallets
SET seed_pair_id = $2, nonce = 0
WHERE user_id = $1

-- name: insert_top_up
-- A purchase of credits.
INSERT INTO top_ups (user_id, id, amount, provider, provider_ref, status, checkout_url, created_at, completed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: advance_house_accounts
-- The house's side of a batch of events: each account steps on; gives where it then stands. The caller
-- sorts the accounts, so the locks are taken in one order. Index: house_accounts_pkey.
INSERT INTO house_accounts (name, balance, sequence)
SELECT p.account, p.amount, 1
FROM unnest($1::text[], $2::bigint[]) AS p (account, amount)
ON CONFLICT ON CONSTRAINT house_accounts_pkey DO UPDATE
SET balance = house_accounts.balance + excluded.balance, sequence = house_accounts.sequence + 1
RETURNING name, balance, sequence

-- name: insert_house_entries
-- By how much each did, in the same transaction.
INSERT INTO house_entries (account, sequence, amount, balance_after, batch_id, events, created_at)
SELECT e.account, e.sequence, e.amount, e.balance_after, $6, e.events, $7
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[])
    AS e (account, sequence, amount, balance_after, events)

-- name: list_house_accounts
-- The house's accounts as they stand.
SELECT name, balance
FROM house_accounts
ORDER BY name

-- name: check_ledger
-- Evidence for the law that money neither appears nor vanishes; reads whole tables, not for hot paths.
SELECT
    (SELECT coalesce(sum(balance), 0) FROM wallets)::bigint AS wallets,
    (SELECT coalesce(sum(balance), 0) FROM house_accounts)::bigint AS house,
    (SELECT coalesce(sum(amount), 0) FROM ledger_entries)::bigint AS entries,
    (SELECT coalesce(sum((p.posting ->> 'amount')::bigint), 0)
     FROM outbox o CROSS JOIN LATERAL jsonb_array_elements(o.payload::jsonb -> 'postings') AS p (posting))::bigint AS waiting,
    (SELECT count(*) FROM wallets w
     LEFT JOIN LATERAL (SELECT e.balance_after, e.sequence FROM ledger_entries e
                        WHERE e.user_id = w.user_id ORDER BY e.sequence DESC LIMIT 1) AS last ON true
     WHERE w.balance <> coalesce(last.balance_after, 0) OR w.sequence <> coalesce(last.sequence, 0)) AS untied,
    (SELECT count(*) FROM (SELECT w.user_id FROM wallets w LEFT JOIN ledger_entries e ON e.user_id = w.user_id
                           GROUP BY w.user_id, w.balance HAVING w.balance <> coalesce(sum(e.amount), 0)) AS sums) AS unsummed
