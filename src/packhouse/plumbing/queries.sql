-- name: find_answer
-- What a repeated request was answered the first time. Index: idempotency_keys_pkey.
SELECT request_hash, answer
FROM idempotency_keys
WHERE user_id = $1 AND route = $2 AND key = $3

-- name: insert_answers
-- Records answers in the effect's own transaction, one row for each element of the arrays. A key
-- that another transaction is just recording makes this wait for its end; a recorded one is left.
INSERT INTO idempotency_keys (user_id, route, key, request_hash, status, answer, created_at)
SELECT a.user_id, a.route, a.key, a.request_hash, 201, a.answer, $6
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[])
    AS a (user_id, route, key, request_hash, answer)
ON CONFLICT DO NOTHING
RETURNING user_id

-- name: delete_answers
-- What one user's requests were answered; a closed account repeats none. Index: idempotency_keys_pkey.
DELETE FROM idempotency_keys
WHERE user_id = $1

-- name: insert_events
-- Events are written with the effect; the relay moves them on and deletes them.
INSERT INTO outbox (user_id, id, kind, version, subject_id, sequence, payload, created_at)
SELECT e.user_id, e.id, e.kind, e.version, e.subject_id, e.sequence, e.payload, $8
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::bigint[], $7::text[])
    AS e (user_id, id, kind, version, subject_id, sequence, payload)

-- name: list_waiting_events
-- Everything that waits of the users who have waited longest: all of a user's events together, so
-- that the relay can put them in the order of that user's wallet. An array and not IN: how many a LIMIT
-- by parameter lets through is guessed as a tenth of all. Indexes: outbox_id_idx, outbox_pkey.
SELECT user_id, id, kind, version, subject_id, sequence, payload, created_at
FROM outbox
WHERE user_id = ANY (ARRAY(SELECT first.user_id FROM outbox AS first ORDER BY first.id LIMIT $1))
ORDER BY id

-- name: delete_events
-- Takes away what the relay has moved on, in the same transaction.
DELETE FROM outbox
USING unnest($1::uuid[], $2::uuid[]) AS moved (user_id, id)
WHERE outbox.user_id = moved.user_id AND outbox.id = moved.id

-- name: find_waiting_event
-- The event about one subject that the relay has not moved on yet. Index: outbox_subject_id_id_idx.
SELECT user_id, id, kind, version, subject_id, sequence, payload, created_at
FROM outbox
WHERE subject_id = $1
ORDER BY id
LIMIT 1

-- name: claim_relay
-- True for the one relay that may move events on in this transaction.
SELECT pg_try_advisory_xact_lock(1380273217)

-- name: hold_relay
-- Waits for a relay that is at work, and lets none begin until this transaction ends.
SELECT pg_advisory_xact_lock(1380273217)

-- name: rename_in_events
-- The feed name in what the relay has not moved on yet of one user. Index: outbox_pkey.
UPDATE outbox
SET payload = jsonb_set(payload::jsonb, '{username}', to_jsonb($2::text))::text
WHERE user_id = $1 AND payload::jsonb ? 'username'

-- name: insert_audit_entry
-- Who did what to what, when, why: written in the transaction of the act itself.
INSERT INTO audit_log (id, actor_id, actor_name, action, subject, reason, details, request_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: has_audit_entries
-- Whether somebody ever acted as staff. Index: audit_log_actor_id_idx.
SELECT EXISTS (SELECT 1 FROM audit_log WHERE actor_id = $1)

-- name: list_audit_entries
-- A page of the audit log, newest first. Index: audit_log_pkey.
SELECT id, actor_id, actor_name, action, subject, reason, details, request_id, created_at
FROM audit_log
WHERE id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY id DESC
LIMIT $2

-- name: list_shop_settings
-- The few settings that operators change while the shop runs.
SELECT name, value
FROM settings

-- name: upsert_shop_setting
-- Sets one of them.
INSERT INTO settings (name, value, updated_at)
VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT settings_pkey DO UPDATE
SET value = excluded.value, updated_at = excluded.updated_at

-- name: insert_readiness_report
-- A look begins.
INSERT INTO readiness_reports (id, begun_at)
VALUES ($1, $2)

-- name: update_readiness_report
-- What it found.
UPDATE readiness_reports
SET report = $2
WHERE id = $1

-- name: list_readiness_reports
-- The newest looks, those that have not ended among them. Index: readiness_reports_pkey.
SELECT id, begun_at, report
FROM readiness_reports
ORDER BY id DESC
LIMIT $1

-- name: delete_old_readiness_reports
-- All but the newest.
DELETE FROM readiness_reports
WHERE id < (SELECT id FROM readiness_reports ORDER BY id DESC OFFSET $1 LIMIT 1)

-- name: find_cluster
-- Which cluster and database a connection leads to. No table, no lock.
SELECT system_identifier, current_database() AS database
FROM pg_control_system()

-- name: find_wal_position
-- How far the primary's log of changes is safe on its disk: no answered commit lies beyond. Where
-- commits are answered before that, what is written counts. The name of the log's file begins with the
-- timeline. No table, no lock. Fails on a server in recovery.
SELECT pg_walfile_name(pg_current_wal_flush_lsn()) AS file,
       CASE current_setting('synchronous_commit')
           WHEN 'off' THEN pg_current_wal_insert_lsn()
           ELSE pg_current_wal_flush_lsn()
       END AS reached

-- name: look_at_replica
-- What a replica says of itself. The timeline is the one it is sent, if this account may see that
-- (pg_read_all_stats); else the last one that its control file knows of, minutes old perhaps. No table,
-- no lock.
SELECT pg_postmaster_start_time() AS started_at,
       pg_is_in_recovery() AS is_in_recovery,
       cluster.system_identifier,
       current_database() AS database,
       COALESCE(
           (SELECT received_tli FROM pg_stat_wal_receiver),
           GREATEST(checkpoint.timeline_id, recovery.min_recovery_end_timeline)
       )::bigint AS timeline,
       pg_last_wal_replay_lsn() AS replayed
FROM pg_control_system() AS cluster, pg_control_checkpoint() AS checkpoint,
     pg_control_recovery() AS recovery

-- name: find_replayed
-- How far a replica has replayed, and whether it still does. No table, no lock.
SELECT pg_is_in_recovery() AS is_in_recovery, pg_last_wal_replay_lsn() AS replayed

-- name: delete_job_log
-- A step of what the queue noted long ago, but for dead letters, whose reason it is. Indexes:
-- pgqueuer_log_created, pgqueuer_pkey.
DELETE FROM jobs.pgqueuer_log
WHERE id = ANY (ARRAY(
    SELECT noted.id
    FROM jobs.pgqueuer_log AS noted
    WHERE noted.created < $1
        AND NOT EXISTS (SELECT FROM jobs.pgqueuer AS kept WHERE kept.id = noted.job_id AND kept.status = 'failed')
    ORDER BY noted.created
    LIMIT $2
))

-- name: count_jobs
-- What the queue holds, by kind of job; reads all of it, which is short. The name is what stands before
-- the version.
SELECT regexp_replace(entrypoint, '\.v[0-9]+$', '') AS job,
       count(*) FILTER (WHERE status = 'queued') AS waiting,
       count(*) FILTER (WHERE status = 'picked') AS running,
       count(*) FILTER (WHERE status = 'failed') AS dead,
       min(execute_after) FILTER (WHERE status = 'queued') AS due_since
FROM jobs.pgqueuer
GROUP BY job
ORDER BY job

-- name: count_dead_letters
-- How many jobs nothing helped; reads all of the queue, which is short.
SELECT count(*)
FROM jobs.pgqueuer
WHERE status = 'failed'

-- name: list_dead_letters
-- A page of the jobs that nothing helped, the newest first, each with why. They are few; whatever waits
-- between them is read past. Indexes: pgqueuer_pkey, pgqueuer_log_job_id_status.
SELECT id, entrypoint, payload, attempts, created, updated,
       (SELECT noted.traceback ->> 'exception_message' FROM jobs.pgqueuer_log AS noted
        WHERE noted.job_id = job.id AND noted.traceback IS NOT NULL
        ORDER BY noted.created DESC LIMIT 1) AS reason
FROM jobs.pgqueuer AS job
WHERE status = 'failed' AND id < coalesce($1::bigint, 9223372036854775807)
ORDER BY id DESC
LIMIT $2

-- name: lock_dead_letter
-- One of them, locked, so that it is tried again or discarded once. Index: pgqueuer_pkey.
SELECT id, entrypoint, payload, attempts, created, updated, NULL::text AS reason
FROM jobs.pgqueuer
WHERE id = $1 AND status = 'failed'
FOR UPDATE
