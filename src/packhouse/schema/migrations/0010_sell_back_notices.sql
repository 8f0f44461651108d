-- What: a table of who was told that a sell-back time ends, for which day.
-- Why: the job that looks may be begun again, and nobody is to be told twice.
-- Locks: none but on what is new.
-- Duration: an instant.

CREATE TABLE sell_back_notices (
    user_id uuid NOT NULL,
    day     date NOT NULL,
    CONSTRAINT sell_back_notices_pkey PRIMARY KEY (user_id, day)
);
