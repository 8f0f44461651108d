-- What: every table the shop starts with.
-- Why: nothing exists yet.
-- Locks: none that matter; the database is empty.
-- Duration: under a second.

CREATE TABLE users (
    id                uuid        NOT NULL,
    username          text        NOT NULL,
    email             text        NOT NULL,
    password_hash     text        NOT NULL,
    role              text        NOT NULL DEFAULT 'collector',
    birth_date        date,
    is_anonymous      boolean     NOT NULL DEFAULT false,
    suspended_at      timestamptz,
    suspension_reason text,
    created_at        timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_role_check CHECK (role IN ('collector', 'staff', 'owner')),
    CONSTRAINT users_suspended_at_check CHECK ((suspended_at IS NULL) = (suspension_reason IS NULL))
);

CREATE TABLE user_emails (
    email_key text NOT NULL,
    user_id   uuid NOT NULL,
    CONSTRAINT user_emails_pkey PRIMARY KEY (email_key)
);

CREATE TABLE user_names (
    username_key text NOT NULL,
    user_id      uuid NOT NULL,
    CONSTRAINT user_names_pkey PRIMARY KEY (username_key)
);

CREATE TABLE sessions (
    token_hash bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token_hash)
);

CREATE TABLE wallets (
    user_id      uuid   NOT NULL,
    balance      bigint NOT NULL DEFAULT 0,
    sequence     bigint NOT NULL DEFAULT 0,
    seed_pair_id uuid   NOT NULL,
    nonce        bigint NOT NULL DEFAULT 0,
    CONSTRAINT wallets_pkey PRIMARY KEY (user_id),
    CONSTRAINT wallets_balance_check CHECK (balance >= 0),
    CONSTRAINT wallets_sequence_check CHECK (sequence >= 0),
    CONSTRAINT wallets_nonce_check CHECK (nonce >= 0)
) WITH (fillfactor = 70);

CREATE TABLE ledger_entries (
    user_id       uuid        NOT NULL,
    sequence      bigint      NOT NULL,
    kind          text        NOT NULL,
    amount        bigint      NOT NULL,
    balance_after bigint      NOT NULL,
    counterparty  text        NOT NULL,
    reference     uuid        NOT NULL,
    created_at    timestamptz NOT NULL,
    CONSTRAINT ledger_entries_pkey PRIMARY KEY (user_id, sequence),
    CONSTRAINT ledger_entries_amount_check CHECK (amount <> 0),
    CONSTRAINT ledger_entries_balance_after_check CHECK (balance_after >= 0)
);

CREATE TABLE house_accounts (
    name     text   NOT NULL,
    balance  bigint NOT NULL DEFAULT 0,
    sequence bigint NOT NULL DEFAULT 0,
    CONSTRAINT house_accounts_pkey PRIMARY KEY (name)
);

CREATE TABLE house_entries (
    account       text        NOT NULL,
    sequence      bigint      NOT NULL,
    amount        bigint      NOT NULL,
    balance_after bigint      NOT NULL,
    batch_id      uuid        NOT NULL,
    events        integer     NOT NULL,
    created_at    timestamptz NOT NULL,
    CONSTRAINT house_entries_pkey PRIMARY KEY (account, sequence)
);

CREATE TABLE top_ups (
    user_id      uuid        NOT NULL,
    id           uuid        NOT NULL,
    amount       bigint      NOT NULL,
    provider     text        NOT NULL,
    provider_ref text        NOT NULL,
    status       text        NOT NULL,
    checkout_url text,
    created_at   timestamptz NOT NULL,
    completed_at timestamptz,
    CONSTRAINT top_ups_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT top_ups_amount_check CHECK (amount > 0),
    CONSTRAINT top_ups_status_check CHECK (status IN ('pending', 'completed', 'failed'))
);

CREATE TABLE seed_pairs (
    user_id            uuid        NOT NULL,
    id                 uuid        NOT NULL,
    sealed_server_seed bytea       NOT NULL,
    commitment         bytea       NOT NULL,
    user_key           bytea       NOT NULL,
    client_seed        text        NOT NULL,
    created_at         timestamptz NOT NULL,
    first_used_at      timestamptz,
    revealed_at        timestamptz,
    server_seed        bytea,
    openings           bigint,
    CONSTRAINT seed_pairs_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT seed_pairs_commitment_check CHECK (octet_length(commitment) = 32),
    CONSTRAINT seed_pairs_user_key_check CHECK (octet_length(user_key) = 16),
    CONSTRAINT seed_pairs_revealed_at_check CHECK ((revealed_at IS NULL) = (server_seed IS NULL))
);

CREATE TABLE cards (
    id            uuid        NOT NULL,
    set_code      text        NOT NULL,
    set_name      text        NOT NULL,
    number        text        NOT NULL,
    name          text        NOT NULL,
    tier          text        NOT NULL,
    value         bigint      NOT NULL,
    kind          text        NOT NULL,
    weight_grams  integer     NOT NULL,
    flavour       text        NOT NULL DEFAULT '',
    picture       text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT cards_pkey PRIMARY KEY (id),
    CONSTRAINT cards_set_code_number_key UNIQUE (set_code, number),
    CONSTRAINT cards_tier_check CHECK (tier IN ('D', 'C', 'B', 'A', 'S', 'SS', 'SSS')),
    CONSTRAINT cards_value_check CHECK (value >= 0),
    CONSTRAINT cards_kind_check CHECK (kind IN ('physical', 'digital')),
    CONSTRAINT cards_weight_grams_check CHECK (weight_grams >= 0)
);

CREATE TABLE packs (
    id                 uuid        NOT NULL,
    slug               text        NOT NULL,
    position           integer     NOT NULL DEFAULT 0,
    picture            text,
    current_version_id uuid,
    withdrawn_at       timestamptz,
    created_at         timestamptz NOT NULL,
    CONSTRAINT packs_pkey PRIMARY KEY (id),
    CONSTRAINT packs_slug_key UNIQUE (slug)
);

CREATE TABLE pack_drafts (
    pack_id    uuid        NOT NULL,
    draft      jsonb       NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pack_drafts_pkey PRIMARY KEY (pack_id),
    CONSTRAINT pack_drafts_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES packs (id)
);

CREATE TABLE pack_versions (
    id           uuid        NOT NULL,
    pack_id      uuid        NOT NULL,
    number       integer     NOT NULL,
    config       text        NOT NULL,
    config_hash  bytea       NOT NULL,
    lot_id       uuid,
    reason       text,
    published_by uuid        NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT pack_versions_pkey PRIMARY KEY (id),
    CONSTRAINT pack_versions_pack_id_number_key UNIQUE (pack_id, number),
    CONSTRAINT pack_versions_config_hash_key UNIQUE (config_hash),
    CONSTRAINT pack_versions_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES packs (id),
    CONSTRAINT pack_versions_config_hash_check CHECK (octet_length(config_hash) = 32)
);

CREATE TABLE pack_pauses (
    pack_id    uuid        NOT NULL,
    card_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pack_pauses_pkey PRIMARY KEY (pack_id, card_id),
    CONSTRAINT pack_pauses_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES packs (id)
);

CREATE TABLE stock_items (
    card_id      uuid        NOT NULL,
    id           uuid        NOT NULL,
    place        text        NOT NULL,
    lot_id       uuid,
    grade        text,
    certificate  text,
    photo        text,
    location     text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT stock_items_pkey PRIMARY KEY (card_id, id),
    CONSTRAINT stock_items_card_id_fkey FOREIGN KEY (card_id) REFERENCES cards (id),
    CONSTRAINT stock_items_place_check CHECK (
        place IN ('house', 'on_sale', 'vaulted', 'reserved', 'shipped', 'withdrawn', 'lost')
    )
) WITH (fillfactor = 75);

CREATE TABLE catalog_imports (
    sha256      bytea       NOT NULL,
    file_name   text        NOT NULL,
    imported_at timestamptz NOT NULL,
    CONSTRAINT catalog_imports_pkey PRIMARY KEY (sha256),
    CONSTRAINT catalog_imports_sha256_check CHECK (octet_length(sha256) = 32)
);

CREATE TABLE lots (
    id                 uuid        NOT NULL,
    pack_version_id    uuid        NOT NULL,
    size               integer     NOT NULL,
    draws              integer     NOT NULL DEFAULT 0,
    commitment         bytea       NOT NULL,
    sealed_server_seed bytea       NOT NULL,
    manifest_root      bytea       NOT NULL,
    closed_at          timestamptz,
    server_seed        bytea,
    CONSTRAINT lots_pkey PRIMARY KEY (id),
    CONSTRAINT lots_pack_version_id_fkey FOREIGN KEY (pack_version_id) REFERENCES pack_versions (id),
    CONSTRAINT lots_draws_check CHECK (draws BETWEEN 0 AND size),
    CONSTRAINT lots_commitment_check CHECK (octet_length(commitment) = 32),
    CONSTRAINT lots_manifest_root_check CHECK (octet_length(manifest_root) = 32),
    CONSTRAINT lots_closed_at_check CHECK ((closed_at IS NULL) = (server_seed IS NULL))
) WITH (fillfactor = 70);

CREATE TABLE lot_items (
    lot_id        uuid    NOT NULL,
    position      integer NOT NULL,
    card_id       uuid    NOT NULL,
    stock_item_id uuid,
    tier          text    NOT NULL,
    value         bigint  NOT NULL,
    is_last_one   boolean NOT NULL DEFAULT false,
    draw          integer,
    CONSTRAINT lot_items_pkey PRIMARY KEY (lot_id, position),
    CONSTRAINT lot_items_lot_id_fkey FOREIGN KEY (lot_id) REFERENCES lots (id)
) WITH (fillfactor = 75);

CREATE TABLE openings (
    user_id         uuid        NOT NULL,
    id              uuid        NOT NULL,
    pack_version_id uuid        NOT NULL,
    seed_pair_id    uuid        NOT NULL,
    nonce           bigint,
    price           bigint      NOT NULL,
    receipt         text        NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT openings_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT openings_user_id_seed_pair_id_nonce_key UNIQUE (user_id, seed_pair_id, nonce)
);

CREATE TABLE user_cards (
    user_id          uuid        NOT NULL,
    id               uuid        NOT NULL,
    card_id          uuid        NOT NULL,
    stock_item_id    uuid,
    opening_id       uuid        NOT NULL,
    tier             text        NOT NULL,
    value            bigint      NOT NULL,
    state            text        NOT NULL,
    sell_back_amount bigint      NOT NULL,
    sell_back_until  timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    CONSTRAINT user_cards_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT user_cards_state_check CHECK (
        state IN ('vaulted', 'sold', 'reserved', 'shipped', 'lost')
    ),
    CONSTRAINT user_cards_value_check CHECK (value >= 0 AND sell_back_amount >= 0)
) WITH (fillfactor = 90);

CREATE TABLE shipping_requests (
    user_id         uuid        NOT NULL,
    id              uuid        NOT NULL,
    status          text        NOT NULL,
    address         jsonb       NOT NULL,
    cost            bigint      NOT NULL,
    quote           jsonb       NOT NULL,
    carrier         text,
    tracking_number text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT shipping_requests_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT shipping_requests_cost_check CHECK (cost >= 0),
    CONSTRAINT shipping_requests_status_check CHECK (
        status IN ('pending', 'packing', 'shipped', 'delivered', 'cancelled', 'returned', 'lost')
    )
);

CREATE TABLE shipping_request_items (
    user_id             uuid NOT NULL,
    shipping_request_id uuid NOT NULL,
    user_card_id        uuid NOT NULL,
    card_id             uuid NOT NULL,
    stock_item_id       uuid NOT NULL,
    value               bigint NOT NULL,
    CONSTRAINT shipping_request_items_pkey PRIMARY KEY (user_id, shipping_request_id, user_card_id)
);

CREATE TABLE shipping_request_events (
    user_id             uuid        NOT NULL,
    shipping_request_id uuid        NOT NULL,
    sequence            integer     NOT NULL,
    status              text        NOT NULL,
    actor_id            uuid        NOT NULL,
    note                text,
    created_at          timestamptz NOT NULL,
    CONSTRAINT shipping_request_events_pkey PRIMARY KEY (user_id, shipping_request_id, sequence)
);

CREATE TABLE idempotency_keys (
    user_id      uuid        NOT NULL,
    route        text        NOT NULL,
    key          text        NOT NULL,
    request_hash bytea       NOT NULL,
    status       smallint    NOT NULL,
    answer       text        NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, route, key)
);

CREATE TABLE outbox (
    user_id    uuid        NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL,
    version    smallint    NOT NULL,
    subject_id uuid        NOT NULL,
    sequence   bigint      NOT NULL,
    payload    text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (user_id, id)
);

CREATE TABLE receipts (
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    seed_pair_id uuid        NOT NULL,
    receipt      text        NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT receipts_pkey PRIMARY KEY (id)
);

CREATE TABLE request_directory (
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT request_directory_pkey PRIMARY KEY (id)
);

CREATE TABLE global_feed (
    sequence   bigint      NOT NULL,
    username   text        NOT NULL,
    card       text        NOT NULL,
    tier       text        NOT NULL,
    value      bigint      NOT NULL,
    pack       text        NOT NULL,
    opening_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT global_feed_pkey PRIMARY KEY (sequence)
);

CREATE TABLE audit_log (
    id         uuid        NOT NULL,
    actor_id   uuid        NOT NULL,
    actor_name text        NOT NULL,
    action     text        NOT NULL,
    subject    text        NOT NULL,
    reason     text,
    details    jsonb       NOT NULL,
    request_id text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id)
);

CREATE TABLE settings (
    name       text        NOT NULL,
    value      jsonb       NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT settings_pkey PRIMARY KEY (name)
);
