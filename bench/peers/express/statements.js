// The statements of an opening, the vault and the feed. Named, so that pg prepares each of them once
// on every connection.

const named = (name, text) => ({ name, text });

export const lockWallet = named('lock_wallet', `
  SELECT balance, sequence, nonce, seed_pair_id FROM wallets WHERE user_id = $1 FOR UPDATE`);

export const findStanding = named('find_standing', `
  SELECT u.username, u.role, u.is_anonymous, u.suspended_at,
         s.sealed_server_seed, s.commitment, s.user_key, s.client_seed,
         k.request_hash, k.answer, p.current_version_id AS version_id,
         EXISTS (SELECT 1 FROM pack_pauses z WHERE z.pack_id = p.id) AS is_paused
  FROM users u
  JOIN seed_pairs s ON s.user_id = u.id AND s.id = $2
  LEFT JOIN idempotency_keys k ON k.user_id = u.id AND k.route = $3 AND k.key = $4
  LEFT JOIN packs p ON p.id = $5 AND p.withdrawn_at IS NULL
  WHERE u.id = $1`);

const claim = (lock) => `
  SELECT free.card_id, free.id
  FROM unnest($1::uuid[], $2::integer[]) AS wanted (card_id, copies)
  CROSS JOIN LATERAL (
      SELECT stock.card_id, stock.id
      FROM stock_items AS stock
      WHERE stock.card_id = wanted.card_id AND stock.place = 'on_sale' AND stock.lot_id IS NULL
      ORDER BY stock.id
      LIMIT wanted.copies
      ${lock}
  ) AS free`;

export const claimStock = named('claim_stock', claim('FOR UPDATE SKIP LOCKED'));
export const claimStockWaiting = named('claim_stock_waiting', claim('FOR UPDATE'));

export const handOutStock = named('hand_out_stock', `
  UPDATE stock_items
  SET place = 'vaulted', updated_at = $3
  FROM unnest($1::uuid[], $2::uuid[]) AS claimed (card_id, id)
  WHERE stock_items.card_id = claimed.card_id AND stock_items.id = claimed.id`);

export const updateWallet = named('update_wallet', `
  UPDATE wallets SET balance = $2, sequence = $3, nonce = $4 WHERE user_id = $1`);

export const insertLedgerEntries = named('insert_ledger_entries', `
  INSERT INTO ledger_entries
      (user_id, sequence, kind, amount, balance_after, counterparty, reference, created_at)
  SELECT $1, e.sequence, e.kind, e.amount, e.balance_after, e.counterparty, e.reference, $8
  FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::uuid[])
      AS e (sequence, kind, amount, balance_after, counterparty, reference)`);

export const insertOpening = named('insert_opening', `
  INSERT INTO openings
      (user_id, id, pack_version_id, seed_pair_id, nonce, price, receipt, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`);

export const insertUserCards = named('insert_user_cards', `
  INSERT INTO user_cards
      (user_id, id, card_id, stock_item_id, opening_id, tier, value, state, sell_back_amount,
       sell_back_until, created_at)
  SELECT $1, c.id, c.card_id, c.stock_item_id, $2, c.tier, c.value, c.state, c.sell_back_amount,
         $10, $11
  FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::text[], $9::bigint[])
      AS c (id, card_id, stock_item_id, tier, value, state, sell_back_amount)`);

export const insertEvent = named('insert_event', `
  INSERT INTO outbox (user_id, id, kind, version, subject_id, sequence, payload, created_at)
  VALUES ($1, $2, 'pack.opened', 1, $3, $4, $5, $6)`);

export const insertAnswer = named('insert_answer', `
  INSERT INTO idempotency_keys (user_id, route, key, request_hash, status, answer, created_at)
  VALUES ($1, $2, $3, $4, 201, $5, $6)`);

export const markFirstUse = named('mark_first_use', `
  UPDATE seed_pairs SET first_used_at = $3
  WHERE user_id = $1 AND id = $2 AND first_used_at IS NULL`);

export const pausePack = named('pause_pack', `
  INSERT INTO pack_pauses (pack_id, card_id, created_at)
  SELECT $1, card_id, $3 FROM unnest($2::uuid[]) AS gone (card_id)
  ON CONFLICT DO NOTHING`);

export const listReceipts = named('list_receipts', `
  SELECT id, receipt FROM openings WHERE user_id = $1 AND id = ANY ($2::uuid[])`);

export const listVaultPage = named('list_vault_page', `
  SELECT id, card_id, stock_item_id, opening_id, tier, value, state, sell_back_amount,
         sell_back_until, created_at
  FROM user_cards
  WHERE user_id = $1
  ORDER BY id DESC
  LIMIT $2`);

export const listFeedPage = named('list_feed_page', `
  SELECT sequence, username, card, tier, value, pack, opening_id, created_at
  FROM global_feed
  ORDER BY sequence DESC
  LIMIT $1`);
