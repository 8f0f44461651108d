-- name: list_valid_indexes
-- Indexes of the shop that PostgreSQL may use.
SELECT relname AS name
FROM pg_index
JOIN pg_class ON pg_class.oid = pg_index.indexrelid
WHERE indisvalid AND indisready AND relnamespace = 'public'::regnamespace

-- name: list_index_scans
-- How often these were used since the statistics began.
SELECT indexrelname AS name, idx_scan AS scans
FROM pg_stat_user_indexes
WHERE indexrelname = ANY ($1::text[])
ORDER BY indexrelname

-- name: list_server_settings
-- As they are in force for this session.
SELECT name, setting
FROM pg_settings
WHERE name = ANY ($1::text[])

-- name: count_connections
-- From how many hosts the shop is connected, with how many connections, of how many allowed.
SELECT
    count(DISTINCT coalesce(client_addr, '127.0.0.1')) AS hosts,
    count(*) AS used,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS allowed
FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, 'packhouse')

-- name: find_oldest_event
-- How many events wait, and for how long the oldest; its id is a UUIDv7, which begins with its time.
SELECT
    count(*) AS waiting,
    coalesce(extract(epoch FROM statement_timestamp() - uuid_extract_timestamp((
        SELECT id FROM outbox ORDER BY id LIMIT 1
    ))), 0)::float8 AS age_seconds
FROM outbox

-- name: is_relay_at_work
-- Whether somebody holds the relay's lock in this very moment; it is taken anew many times a second.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objid = 1380273217
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)

-- name: list_dead_rows
-- Tables with many rows that nobody sees any more.
SELECT relname AS name, n_live_tup AS live, n_dead_tup AS dead
FROM pg_stat_user_tables
WHERE n_dead_tup > $1::bigint
ORDER BY n_dead_tup DESC

-- name: list_largest_tables
-- With their indexes, the largest first.
SELECT relname AS name, pg_total_relation_size(relid) AS bytes
FROM pg_stat_user_tables
ORDER BY bytes DESC
LIMIT 5

-- name: count_pulls_of_day
-- Pulls in the day before $1. Index: idx_global_feed_created_at.
SELECT count(*)
FROM global_feed
WHERE created_at > $1::timestamptz - interval '1 day'

-- name: has_statement_times
-- Whether statements are counted, and we may read of it.
SELECT to_regclass('pg_stat_statements') IS NOT NULL
