-- name: claim_email
-- Gives the user when the address was free. Waits for another transaction that is just claiming it.
INSERT INTO user_emails (email_key, user_id)
VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING user_id

-- name: claim_username
-- Gives the user when the name was free. Waits for another transaction that is just claiming it.
INSERT INTO user_names (username_key, user_id)
VALUES ($1, $2)
ON CONFLICT DO NOTHING
RETURNING user_id

-- name: insert_user
-- After its address and its name were claimed, in that order in every transaction.
INSERT INTO users (id, username, email, password_hash, role, birth_date, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: find_user
-- Index: users_pkey.
SELECT id, username, email, role, is_anonymous, suspended_at, suspension_reason, created_at,
       closed_at
FROM users
WHERE id = $1

-- name: find_addressee
-- Whom a letter goes to; nobody once the account is closed. Index: users_pkey.
SELECT username, email
FROM users
WHERE id = $1 AND closed_at IS NULL

-- name: lock_user
-- One account. Whoever wants several locks them in the order of their ids, so that two transactions never
-- wait in a circle. Index: users_pkey.
SELECT id, username, email, role, is_anonymous, suspended_at, suspension_reason, created_at,
       closed_at
FROM users
WHERE id = $1
FOR UPDATE

-- name: list_owner_ids
-- Every owner who is still there; few. Index: users_role_idx.
SELECT id
FROM users
WHERE role = 'owner' AND closed_at IS NULL

-- name: list_users
-- Newest first and without closed ones, for staff. A search looks at every account: rare, and read by
-- people. Index: users_pkey.
SELECT id, username, email, role, is_anonymous, suspended_at, suspension_reason, created_at,
       closed_at
FROM users
WHERE ($1::text IS NULL OR strpos(lower(username), $1) > 0 OR strpos(lower(email), $1) > 0)
    AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
    AND closed_at IS NULL
ORDER BY id DESC
LIMIT $3

-- name: count_users
-- All accounts that are not closed, or those of one role.
SELECT count(*)
FROM users
WHERE ($1::text IS NULL OR role = $1) AND closed_at IS NULL

-- name: find_first_owner
-- Whose session a check of readiness borrows. Index: users_role_idx.
SELECT id, username
FROM users
WHERE role = 'owner' AND closed_at IS NULL AND suspended_at IS NULL
ORDER BY id
LIMIT 1

-- name: find_email_owner
-- Whose an address is. Index: user_emails_pkey.
SELECT user_id
FROM user_emails
WHERE email_key = $1

-- name: find_credentials
-- What a sign-in is checked against. Index: users_pkey.
SELECT id AS user_id, password_hash
FROM users
WHERE id = $1

-- name: update_password_hash
-- The same password at today's cost, unless the hash was replaced meanwhile.
UPDATE users
SET password_hash = $3
WHERE id = $1 AND password_hash = $2

-- name: update_role
-- The row is locked before, together with the row of the owner who changes it.
UPDATE users
SET role = $2
WHERE id = $1

-- name: update_suspension
-- Both are null when a suspension is lifted.
UPDATE users
SET suspended_at = $2, suspension_reason = $3
WHERE id = $1

-- name: update_anonymity
-- How the feed will show the next pulls.
UPDATE users
SET is_anonymous = $2
WHERE id = $1

-- name: close_user
-- Leaves of an account what others hang on; the row is locked before.
UPDATE users
SET username = $2, email = '', password_hash = '', birth_date = NULL, is_anonymous = true, closed_at = $3
WHERE id = $1

-- name: release_email
-- The address is free again. Index: user_emails_pkey.
DELETE FROM user_emails
WHERE email_key = $1 AND user_id = $2

-- name: release_username
-- The same for the name. Index: user_names_pkey.
DELETE FROM user_names
WHERE username_key = $1 AND user_id = $2

-- name: check_closed_accounts
-- Evidence for the law that a closed account owes nothing and is owed nothing; reads whole tables, not
-- for hot paths.
SELECT
    (SELECT count(*) FROM users WHERE closed_at IS NOT NULL) AS closed,
    (SELECT count(*) FROM users u JOIN wallets w ON w.user_id = u.id
     WHERE u.closed_at IS NOT NULL AND w.balance <> 0) AS with_credits,
    (SELECT count(*) FROM users u JOIN user_cards c ON c.user_id = u.id
     WHERE u.closed_at IS NOT NULL AND c.state IN ('vaulted', 'reserved')) AS cards,
    (SELECT count(*) FROM users u JOIN sessions s ON s.user_id = u.id
     WHERE u.closed_at IS NOT NULL) AS sessions,
    (SELECT count(*) FROM users u JOIN seed_pairs p ON p.user_id = u.id
     WHERE u.closed_at IS NOT NULL AND p.first_used_at IS NOT NULL AND p.revealed_at IS NULL) AS secrets

-- name: insert_session
-- The user's row is locked before, or new.
INSERT INTO sessions (token_hash, user_id, created_at, expires_at)
VALUES ($1, $2, $3, $4)

-- name: list_sessions
-- Who sends these requests. Indexes: sessions_pkey, users_pkey.
SELECT
    sessions.token_hash, sessions.user_id, users.username, users.email, users.role, users.is_anonymous,
    users.suspended_at, sessions.expires_at
FROM sessions
JOIN users ON users.id = sessions.user_id
WHERE sessions.token_hash = ANY ($1::bytea[]) AND sessions.expires_at > $2

-- name: list_session_owners
-- The same without its users, for a database where those are elsewhere. Index: sessions_pkey.
SELECT token_hash, user_id, expires_at
FROM sessions
WHERE token_hash = ANY ($1::bytea[]) AND expires_at > $2

-- name: list_session_users
-- Then they. Index: users_pkey.
SELECT id AS user_id, username, email, role, is_anonymous, suspended_at
FROM users
WHERE id = ANY ($1::uuid[])

-- name: delete_session
-- A sign-out.
DELETE FROM sessions
WHERE token_hash = $1

-- name: delete_sessions_of_user
-- Index: sessions_user_id_idx.
DELETE FROM sessions
WHERE user_id = $1

-- name: delete_surplus_sessions
-- All but the newest few of one user, whose row is locked. Index: sessions_user_id_idx.
DELETE FROM sessions
WHERE user_id = $1 AND token_hash IN (
    SELECT newest.token_hash
    FROM sessions AS newest
    WHERE newest.user_id = $1
    ORDER BY newest.created_at DESC, newest.token_hash
    OFFSET $2
)

-- name: delete_expired_sessions
-- Some of the sessions that have ended; repeated until there are none. An array and not IN: how many
-- a LIMIT by parameter lets through is guessed as a tenth of all, and a join would read the whole table.
-- Indexes: sessions_expires_at_idx, sessions_pkey.
DELETE FROM sessions
WHERE token_hash = ANY (ARRAY(
    SELECT ended.token_hash
    FROM sessions AS ended
    WHERE ended.expires_at <= $1
    ORDER BY ended.expires_at
    LIMIT $2
))
RETURNING token_hash
