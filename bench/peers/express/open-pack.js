// An opening: paid once, drawn once, recorded once, in one transaction under the wallet's lock.
//
// Lock order: the wallet · stock items by card id. Who waits for copies in a circle is tried again.

import { createHash } from 'node:crypto';

import { v7 as newId } from 'uuid';

import { inTransaction } from './database.js';
import { decide, unseal } from './draw.js';
import { Refusal } from './refusal.js';
import { settings } from './settings.js';
import { findPack, listFaces } from './shelf.js';
import * as statements from './statements.js';

export async function openPack({ userId, slug, request, key }) {
  const pack = await findPack(slug);
  if (pack === undefined) throw new Refusal(404, 'pack_not_found', 'There is no such pack on sale.');
  const { config, configHash } = { ...pack, config: pack.compiled.config };
  if (request.config_hash !== undefined && request.config_hash !== configHash.toString('hex')) {
    throw new Refusal(409, 'pack_changed', 'This pack was published anew since you looked.');
  }
  const route = `POST /api/v1/packs/${slug}/openings`;
  const requestHash = createHash('sha256').update(JSON.stringify(request)).digest();
  return inTransaction(async (client) => {
    const run = (statement, ...values) => client.query({ ...statement, values });
    const standing = await readStanding(run, { userId, route, key, pack });
    if (standing.answer !== null) return repeatAnswer(run, { userId, standing, requestHash });
    requireMayOpen(standing, { pack, cost: config.price * request.quantity });

    const now = new Date();
    const drawn = drawPacks(standing, { pack, request });
    const faces = await listFaces(drawn.flatMap(({ cards }) => cards.map(({ card }) => card)));
    const stock = await claimStock(run, drawn, now);
    const openings = drawn.map((outcome) => assignStock(outcome, { pack, stock, faces, standing, now }));
    const balance = await settle(run, { userId, pack, standing, openings, now });
    const answer = JSON.stringify({ openings: openings.map(({ receipt }) => receipt.id), balance });
    await run(statements.insertAnswer, userId, route, key, requestHash, answer, now);
    return { openings: openings.map(({ receipt }) => openingOf(receipt)), balance };
  });
}

async function readStanding(run, { userId, route, key, pack }) {
  const wallet = (await run(statements.lockWallet, userId)).rows[0];
  const found = await run(
    statements.findStanding, userId, wallet.seed_pair_id, route, key, pack.id,
  );
  return { ...wallet, ...found.rows[0] };
}

async function repeatAnswer(run, { userId, standing, requestHash }) {
  if (!standing.request_hash.equals(requestHash)) {
    throw new Refusal(409, 'idempotency_key_reused', 'This key was used with another request.');
  }
  const { openings, balance } = JSON.parse(standing.answer);
  const { rows } = await run(statements.listReceipts, userId, openings);
  const receipts = new Map(rows.map(({ id, receipt }) => [id, JSON.parse(receipt)]));
  return { openings: openings.map((id) => openingOf(receipts.get(id))), balance };
}

function requireMayOpen(standing, { pack, cost }) {
  if (standing.suspended_at !== null) {
    throw new Refusal(403, 'account_suspended', 'This account is suspended.');
  }
  if (standing.role !== 'collector') {
    throw new Refusal(403, 'staff_cannot_open_packs', 'Staff cannot open packs.');
  }
  if (standing.version_id !== pack.versionId) {
    throw new Refusal(409, 'pack_changed', 'This pack was published anew; try again.');
  }
  if (standing.is_paused) throw new Refusal(409, 'sold_out', 'This pack rests until it is restocked.');
  if (standing.balance < cost) {
    throw new Refusal(402, 'insufficient_credits', 'There are not enough credits in the wallet.');
  }
}

function drawPacks(standing, { pack, request }) {
  const serverSeed = unseal(standing.sealed_server_seed, settings.seedKey, standing.seed_pair_id);
  const clientSeed = request.client_seed ?? standing.client_seed;
  return Array.from({ length: request.quantity }, (_, index) => {
    const nonce = standing.nonce + index;
    const drawn = decide(pack.compiled, {
      configHash: pack.configHash,
      serverSeed,
      userKey: standing.user_key,
      nonce,
      clientSeed,
    });
    const clientSeedOrigin = request.client_seed === undefined ? 'stored' : 'request';
    return { ...drawn, nonce, clientSeed, clientSeedOrigin };
  });
}

/** Free copies by card; fewer than are owed only when there are no more anywhere. */
async function claimStock(run, drawn, now) {
  const wanted = new Map();
  for (const { card, physical } of drawn.flatMap(({ cards }) => cards)) {
    if (physical) wanted.set(card, (wanted.get(card) ?? 0) + 1);
  }
  if (wanted.size === 0) return new Map();
  const cards = [...wanted.keys()].sort();
  const copies = cards.map((card) => wanted.get(card));
  const owed = copies.reduce((sum, each) => sum + each, 0);
  let { rows } = await run(statements.claimStock, cards, copies);
  if (rows.length < owed) ({ rows } = await run(statements.claimStockWaiting, cards, copies));
  await run(
    statements.handOutStock, rows.map((row) => row.card_id), rows.map((row) => row.id), now,
  );
  const stock = new Map(cards.map((card) => [card, []]));
  for (const { card_id: card, id } of rows) stock.get(card).push(id);
  return stock;
}

function assignStock(drawn, { pack, stock, faces, standing, now }) {
  const { config, configHash, slug } = { ...pack, config: pack.compiled.config };
  const items = drawn.cards.map(({ card, physical }) => (physical ? stock.get(card).shift() : null));
  const cards = drawn.cards.map((card, index) => ({
    user_card_id: newId(),
    card: faces.get(card.card),
    tier: card.tier,
    value: card.value,
    slot: card.slot,
    tier_ticket: card.tierTicket,
    card_ticket: card.cardTicket,
    // Owed, and no copy anywhere: its value is paid.
    ...(items[index] === undefined && { paid_out: true }),
  }));
  const proof = {
    config_hash: configHash.toString('hex'),
    commitment: standing.commitment.toString('hex'),
    user_key: standing.user_key.toString('hex'),
    nonce: drawn.nonce,
    client_seed: drawn.clientSeed,
    client_seed_origin: drawn.clientSeedOrigin,
    layout: drawn.layout,
    layout_ticket: drawn.layoutTicket,
    lot: null,
  };
  const receipt = {
    format: 'packhouse.receipt/1',
    id: newId(),
    kind: config.kind,
    pack: { slug, name: config.name, version: config.number, config_hash: proof.config_hash },
    price: config.price,
    cards,
    proof,
    created_at: now.toISOString(),
    server_seed: null,
  };
  return { receipt, items: items.map((item) => item ?? null) };
}

/** The wallet's step and every row about it; gives the balance. */
async function settle(run, { userId, pack, standing, openings, now }) {
  let { balance, sequence } = standing;
  const entries = [];
  const enter = (kind, amount, counterparty, reference) => {
    if (amount === 0) return [];
    balance += amount;
    sequence += 1;
    entries.push({ sequence, kind, amount, balance, counterparty, reference });
    return [{ account: counterparty, amount: -amount }];
  };
  const events = openings.map(({ receipt }) => {
    const postings = enter('pack_opening', -receipt.price, 'pack_sales', receipt.id);
    for (const card of receipt.cards.filter(({ paid_out: isPaid }) => isPaid)) {
      postings.push(
        ...enter('stock_shortfall', card.value, 'stock_shortfalls', card.user_card_id),
      );
    }
    return { subject: receipt.id, sequence, postings };
  });
  const nonce = standing.nonce + openings.length;
  await run(statements.updateWallet, userId, balance, sequence, nonce);
  const column = (name) => entries.map((entry) => entry[name]);
  await run(
    statements.insertLedgerEntries, userId, column('sequence'), column('kind'), column('amount'),
    column('balance'), column('counterparty'), column('reference'), now,
  );
  for (const opening of openings) await insertOpening(run, { userId, pack, standing, opening, now });
  const username = standing.is_anonymous ? 'Anonymous' : standing.username;
  for (const { subject, sequence: step, postings } of events) {
    const payload = JSON.stringify({ username, postings });
    await run(statements.insertEvent, userId, newId(), subject, step, payload, now);
  }
  if (standing.nonce === 0) {
    await run(statements.markFirstUse, userId, standing.seed_pair_id, now);
  }
  const gone = openings.flatMap(({ receipt }) => receipt.cards.filter((card) => card.paid_out));
  if (gone.length > 0) {
    await run(statements.pausePack, pack.id, [...new Set(gone.map(({ card }) => card.id))], now);
  }
  return balance;
}

async function insertOpening(run, { userId, pack, standing, opening: { receipt, items }, now }) {
  await run(
    statements.insertOpening, userId, receipt.id, pack.versionId, standing.seed_pair_id,
    receipt.proof.nonce, receipt.price, JSON.stringify(receipt), now,
  );
  const { rate_basis_points: rate, window_seconds: seconds } = pack.compiled.config.sell_back;
  const { cards } = receipt;
  await run(
    statements.insertUserCards, userId, receipt.id,
    cards.map((card) => card.user_card_id),
    cards.map(({ card }) => card.id),
    items,
    cards.map(({ tier }) => tier),
    cards.map(({ value }) => value),
    cards.map((card) => (card.paid_out ? 'sold' : 'vaulted')),
    cards.map(({ value, paid_out: isPaid }) => (isPaid ? value : Math.floor((value * rate) / 10_000))),
    new Date(now.getTime() + seconds * 1_000),
    now,
  );
}

function openingOf({ id, cards, proof }) {
  return {
    id,
    cards: cards.map(({ user_card_id, card, tier, value, paid_out = false }) => ({
      user_card_id,
      card,
      tier,
      value,
      paid_out,
    })),
    proof,
  };
}
