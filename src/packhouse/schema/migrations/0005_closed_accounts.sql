-- transaction: none
-- What: accounts that are closed, cards given up with them, names on their way out of the feed.
-- Why: a closed account leaves money, draws and proofs as they are, and nothing that tells whose they were.
-- Locks: ACCESS EXCLUSIVE on users and user_cards for an instant each; then SHARE UPDATE EXCLUSIVE.
-- Duration: seconds for each ten million user cards; every statement may be run again.

ALTER TABLE users ADD COLUMN IF NOT EXISTS closed_at timestamptz;

ALTER TABLE users DROP CONSTRAINT IF EXISTS users_closed_at_check, ADD CONSTRAINT users_closed_at_check CHECK (
    closed_at IS NULL OR (email = '' AND password_hash = '' AND birth_date IS NULL)
) NOT VALID;

ALTER TABLE users VALIDATE CONSTRAINT users_closed_at_check;

ALTER TABLE user_cards DROP CONSTRAINT IF EXISTS user_cards_state_check, ADD CONSTRAINT user_cards_state_check CHECK (
    state IN ('vaulted', 'sold', 'reserved', 'shipped', 'lost', 'forfeited')
) NOT VALID;

ALTER TABLE user_cards VALIDATE CONSTRAINT user_cards_state_check;

CREATE TABLE IF NOT EXISTS feed_erasures (
    user_id           uuid        NOT NULL,
    before_opening_id uuid        NOT NULL,
    created_at        timestamptz NOT NULL,
    CONSTRAINT feed_erasures_pkey PRIMARY KEY (user_id)
);

CREATE INDEX CONCURRENTLY IF NOT EXISTS users_role_idx ON users (role) WHERE role <> 'collector';

CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_log_actor_id_idx ON audit_log (actor_id);

UPDATE audit_log SET details = details - 'username' WHERE details ? 'username';
