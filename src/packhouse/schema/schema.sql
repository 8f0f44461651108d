-- The whole schema, to be read: what the migrations beside this file add up to (a test builds a database
-- from each and compares). Nothing runs it; a change goes into a new migration first.
--
-- Tables of a user have user_id first in their key, in every unique constraint and in every query, so that
-- they can be sharded by it. Hot tables have no foreign keys: the 33 checks of one opening of eight cards
-- made it up to 1.7 times as slow. One write path, CHECKs and the laws in the rooms' checks.py stand in.
-- Amounts are in minor units.


-- People

-- An account. Keyed by id alone: every other thing of a person is keyed by it first. A closed one stays as
-- what its money, draws and parcels hang on, and says nothing of its person any more.
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
    closed_at         timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_role_check CHECK (role IN ('collector', 'staff', 'owner')),
    CONSTRAINT users_suspended_at_check CHECK ((suspended_at IS NULL) = (suspension_reason IS NULL)),
    CONSTRAINT users_closed_at_check CHECK (
        closed_at IS NULL OR (email = '' AND password_hash = '' AND birth_date IS NULL)
    )
);

CREATE INDEX users_role_idx ON users (role) WHERE role <> 'collector';

-- Keyed by the address, so that it is unique across shards, which an index on users could not promise.
CREATE TABLE user_emails (
    email_key text NOT NULL,
    user_id   uuid NOT NULL,
    CONSTRAINT user_emails_pkey PRIMARY KEY (email_key)
);

-- The same for user names.
CREATE TABLE user_names (
    username_key text NOT NULL,
    user_id      uuid NOT NULL,
    CONSTRAINT user_names_pkey PRIMARY KEY (username_key)
);

-- Keyed by the SHA-256 of the token, all that a request brings; the token itself is nowhere.
CREATE TABLE sessions (
    token_hash bytea       NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token_hash)
);

CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);


-- Money

-- One row a user: the only row that an opening updates. Room is left in each page so that it can stay there.
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

-- Append only. The key puts each entry in one place of one wallet, so that none can be written twice.
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

-- The house's side, by name; posted in batches by the relay, so that no opening waits for a hot row.
CREATE TABLE house_accounts (
    name     text   NOT NULL,
    balance  bigint NOT NULL DEFAULT 0,
    sequence bigint NOT NULL DEFAULT 0,
    CONSTRAINT house_accounts_pkey PRIMARY KEY (name)
);

-- One entry an account and batch, in the account's own order.
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

-- A purchase of credits, beside its wallet.
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


-- Draws and what they gave

-- A committed secret. The pair in force is named by the wallet; past ones stay, to be verified for ever.
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

CREATE INDEX seed_pairs_first_used_at_idx ON seed_pairs (first_used_at) WHERE revealed_at IS NULL AND first_used_at IS NOT NULL;

-- One opened pack with its receipt, which is kept here alone, and as it is: to compress its three kilobytes
-- took as long as all else of the row. No nonce is used twice under one pair; a lot's draw has none.
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
) WITH (toast_tuple_target = 8160);

-- One drawn card; card, tier and value are copied in, so that hot reads join nothing.
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
        state IN ('vaulted', 'sold', 'reserved', 'shipped', 'lost', 'forfeited')
    ),
    CONSTRAINT user_cards_value_check CHECK (value >= 0 AND sell_back_amount >= 0)
) WITH (fillfactor = 90);

CREATE INDEX idx_user_cards_user_id ON user_cards (user_id, value DESC, id DESC);
CREATE INDEX idx_user_cards_tier ON user_cards (tier, user_id, id DESC);
CREATE INDEX idx_user_cards_created_at ON user_cards USING brin (created_at);

-- Who was told that the sell-back time of some cards ends on a day; kept until that day is over.
CREATE TABLE sell_back_notices (
    user_id uuid NOT NULL,
    day     date NOT NULL,
    CONSTRAINT sell_back_notices_pkey PRIMARY KEY (user_id, day)
);


-- Parcels

-- A parcel, beside its owner's wallet and cards, which move in the same transaction.
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

CREATE INDEX idx_shipping_requests_user_id ON shipping_requests (user_id, id DESC);
CREATE INDEX idx_shipping_requests_status ON shipping_requests (status, id);
CREATE INDEX shipping_requests_id_idx ON shipping_requests (id);

-- Its cards.
CREATE TABLE shipping_request_items (
    user_id             uuid NOT NULL,
    shipping_request_id uuid NOT NULL,
    user_card_id        uuid NOT NULL,
    card_id             uuid NOT NULL,
    stock_item_id       uuid NOT NULL,
    value               bigint NOT NULL,
    CONSTRAINT shipping_request_items_pkey PRIMARY KEY (user_id, shipping_request_id, user_card_id)
);

-- Its timeline, numbered within the request.
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


-- Promises kept once

-- The first answer to a request, by what makes it the same again; written in the effect's own transaction.
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

-- Events on their way out, written with the effect and deleted by the relay. Short, but for a relay that
-- was away: its line then must not cost more, batch by batch, the longer it is.
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

CREATE INDEX outbox_id_idx ON outbox (id);
CREATE INDEX outbox_subject_id_id_idx ON outbox (subject_id, id);


-- Catalogue and packs: small, read from process memory, reference tables when sharded

-- A card, by id; operators name it by set code and number.
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

-- What is sold; the version on sale is one of its versions.
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

-- What an operator works on, one a pack.
CREATE TABLE pack_drafts (
    pack_id    uuid        NOT NULL,
    draft      jsonb       NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pack_drafts_pkey PRIMARY KEY (pack_id),
    CONSTRAINT pack_drafts_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES packs (id)
);

-- A published version, never changed; its hash names it to the whole world, so no two may share one.
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

-- A pack that rests for want of a card, until there are copies of that card again.
CREATE TABLE pack_pauses (
    pack_id    uuid        NOT NULL,
    card_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pack_pauses_pkey PRIMARY KEY (pack_id, card_id),
    CONSTRAINT pack_pauses_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES packs (id)
);


-- Stock

-- One physical copy. Keyed by card first, as it is claimed; never joined to users' tables.
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

CREATE INDEX stock_items_card_id_idx ON stock_items (card_id, id) WHERE place = 'on_sale' AND lot_id IS NULL;
CREATE UNIQUE INDEX stock_items_card_id_certificate_key ON stock_items (card_id, certificate) WHERE certificate IS NOT NULL;

-- Which files were imported, by the hash of their bytes.
CREATE TABLE catalog_imports (
    sha256      bytea       NOT NULL,
    file_name   text        NOT NULL,
    imported_at timestamptz NOT NULL,
    CONSTRAINT catalog_imports_pkey PRIMARY KEY (sha256),
    CONSTRAINT catalog_imports_sha256_check CHECK (octet_length(sha256) = 32)
);

-- A finite lot. Its draws are numbered densely under this row's lock.
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

-- The lot's manifest, in its published order; an item leaves it with its draw's number, and for the
-- public when the relay has published that draw.
CREATE TABLE lot_items (
    lot_id        uuid    NOT NULL,
    position      integer NOT NULL,
    card_id       uuid    NOT NULL,
    stock_item_id uuid,
    tier          text    NOT NULL,
    value         bigint  NOT NULL,
    is_last_one   boolean NOT NULL DEFAULT false,
    draw          integer,
    is_published  boolean NOT NULL DEFAULT false,
    photo         text,
    CONSTRAINT lot_items_pkey PRIMARY KEY (lot_id, position),
    CONSTRAINT lot_items_lot_id_fkey FOREIGN KEY (lot_id) REFERENCES lots (id)
) WITH (fillfactor = 75);

CREATE INDEX lot_items_lot_id_position_idx ON lot_items (lot_id, position) WHERE draw IS NULL;
CREATE INDEX lot_items_lot_id_draw_idx ON lot_items (lot_id, draw) WHERE draw IS NOT NULL;


-- What is looked up without knowing its user: written by the relay, keyed by public id

-- Whose a public receipt is, and the place of its leaf in the draw log. The text is in openings; that of
-- older rows stays here until no version that reads it is left.
CREATE TABLE receipts (
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    seed_pair_id uuid        NOT NULL,
    receipt      text,
    created_at   timestamptz NOT NULL,
    log_position bigint,
    CONSTRAINT receipts_pkey PRIMARY KEY (id)
);

-- Whose a shipping request is, for staff.
CREATE TABLE request_directory (
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT request_directory_pkey PRIMARY KEY (id)
);

-- Every pull, in one order for everybody; everything shown is in the row. Filled after commit, so without gaps.
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

CREATE INDEX idx_global_feed_tier ON global_feed (tier, sequence DESC);
CREATE INDEX idx_global_feed_created_at ON global_feed (created_at);

-- Closed accounts whose name still stands in the feed, at openings older than this one.
CREATE TABLE feed_erasures (
    user_id           uuid        NOT NULL,
    before_opening_id uuid        NOT NULL,
    created_at        timestamptz NOT NULL,
    CONSTRAINT feed_erasures_pkey PRIMARY KEY (user_id)
);


-- The public log and what is counted for the public: written by the relay and the sequencer

-- The draw log's leaves in their order, without gaps, written by the relay with the feed. Never changed.
CREATE TABLE log_leaves (
    position   bigint      NOT NULL,
    leaf       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT log_leaves_pkey PRIMARY KEY (position)
);

-- The tree's tiles as far as they are filled: up to 256 hashes of 32 bytes, only ever added to.
CREATE TABLE log_tiles (
    level  smallint NOT NULL,
    number bigint   NOT NULL,
    hashes bytea    NOT NULL,
    CONSTRAINT log_tiles_pkey PRIMARY KEY (level, number),
    CONSTRAINT log_tiles_hashes_check CHECK (
        octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0
    )
);

-- Every signed state of the log; the largest is in force.
CREATE TABLE log_checkpoints (
    size         bigint      NOT NULL,
    note         text        NOT NULL,
    verifier_key text        NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT log_checkpoints_pkey PRIMARY KEY (size)
);

-- What came out of each version so far, to be held against its odds; a lot has no layout and no slot.
CREATE TABLE tier_counts (
    config_hash bytea  NOT NULL,
    layout      text   NOT NULL,
    slot        text   NOT NULL,
    tier        text   NOT NULL,
    cards       bigint NOT NULL,
    CONSTRAINT tier_counts_pkey PRIMARY KEY (config_hash, layout, slot, tier)
);


-- The house's own

-- Every act of staff; ids are in the order of time. Who acted has a name here, whom it was about has an id.
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

CREATE INDEX audit_log_actor_id_idx ON audit_log (actor_id);

-- What operators switch while the shop runs.
CREATE TABLE settings (
    name       text        NOT NULL,
    value      jsonb       NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT settings_pkey PRIMARY KEY (name)
);

-- What the checks of readiness found; the report is null while they look. The newest few are kept.
CREATE TABLE readiness_reports (
    id       uuid        NOT NULL,
    begun_at timestamptz NOT NULL,
    report   jsonb,
    CONSTRAINT readiness_reports_pkey PRIMARY KEY (id)
);
