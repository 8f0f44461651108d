-- What: the draw log, counts of what came out, and what the public has seen of a lot.
-- Why: the log and the public odds are written by the relay, after the commit, never by an opening.
-- Locks: ACCESS EXCLUSIVE on receipts and lot_items for an instant each; no row is rewritten.
-- Duration: an instant.

CREATE TABLE log_leaves (
    position   bigint      NOT NULL,
    leaf       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT log_leaves_pkey PRIMARY KEY (position)
);

CREATE TABLE log_tiles (
    level  smallint NOT NULL,
    number bigint   NOT NULL,
    hashes bytea    NOT NULL,
    CONSTRAINT log_tiles_pkey PRIMARY KEY (level, number),
    CONSTRAINT log_tiles_hashes_check CHECK (
        octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0
    )
);

CREATE TABLE log_checkpoints (
    size         bigint      NOT NULL,
    note         text        NOT NULL,
    verifier_key text        NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT log_checkpoints_pkey PRIMARY KEY (size)
);

CREATE TABLE tier_counts (
    config_hash bytea  NOT NULL,
    layout      text   NOT NULL,
    slot        text   NOT NULL,
    tier        text   NOT NULL,
    cards       bigint NOT NULL,
    CONSTRAINT tier_counts_pkey PRIMARY KEY (config_hash, layout, slot, tier)
);

ALTER TABLE receipts ADD COLUMN log_position bigint;

ALTER TABLE lot_items ADD COLUMN is_published boolean NOT NULL DEFAULT false;
