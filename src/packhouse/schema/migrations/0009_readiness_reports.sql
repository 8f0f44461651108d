-- What: a table for the reports of readiness.
-- Why: whoever opens the page sees the last one, whichever process made it.
-- Locks: none but on what is new.
-- Duration: an instant.

CREATE TABLE readiness_reports (
    id       uuid        NOT NULL,
    begun_at timestamptz NOT NULL,
    report   jsonb,
    CONSTRAINT readiness_reports_pkey PRIMARY KEY (id)
);
