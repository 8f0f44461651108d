// The application of one process: the usual middleware, and the routes of the shop's contract.

import compression from 'compression';
import connectPgSimple from 'connect-pg-simple';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import helmet from 'helmet';
import { LRUCache } from 'lru-cache';

import { pool } from './database.js';
import { openPack } from './open-pack.js';
import { Refusal } from './refusal.js';
import { settings } from './settings.js';
import { listFaces } from './shelf.js';
import { listFeedPage, listVaultPage } from './statements.js';

const PAGE_LIMIT = 20;
const FEED_FRESH_MS = 1_000;

export function makeApp() {
  const app = express();
  app.use(helmet());
  app.use(compression());
  app.use(
    rateLimit({
      windowMs: 60_000,
      limit: settings.requestsPerMinute,
      standardHeaders: 'draft-7',
      legacyHeaders: false,
    }),
  );
  app.get('/health/ready', async (request, response) => {
    await pool.query('SELECT 1');
    response.json({ status: 'ready' });
  });
  app.get('/api/v1/feed', async (request, response) => response.json(await readFeed()));
  app.get('/cached/api/v1/feed', keptFor(FEED_FRESH_MS), async (request, response) =>
    response.json(await readFeed()),
  );
  // Only what needs to know who asks looks sessions up.
  const signedIn = [makeSession(), requireUser];
  app.get('/api/v1/vault', signedIn, async (request, response) =>
    response.json(await readVault(request.session.userId)),
  );
  app.post('/api/v1/packs/:slug/openings', signedIn, express.json(), async (request, response) => {
    const opened = await openPack({
      userId: request.session.userId,
      slug: request.params.slug,
      request: parseOpening(request.body),
      key: requireKey(request.get('Idempotency-Key')),
    });
    response.status(201).json(opened);
  });
  app.use(answerError);
  return app;
}

function makeSession() {
  const Store = connectPgSimple(session);
  return session({
    name: 'packhouse_session',
    secret: settings.sessionSecret,
    resave: false,
    saveUninitialized: false,
    // A look at a page does not prolong a session, as in the shop: no write on every read.
    store: new Store({ pool, disableTouch: true }),
    cookie: { maxAge: 86_400_000, httpOnly: true, sameSite: 'lax' },
  });
}

function requireUser(request, response, next) {
  if (request.session.userId === undefined) {
    throw new Refusal(401, 'not_signed_in', 'Sign in first.');
  }
  next();
}

function requireKey(key) {
  if (key === undefined || key.trim() === '' || key.length > 255) {
    throw new Refusal(400, 'idempotency_key_required', 'This request needs an Idempotency-Key.');
  }
  return key;
}

function parseOpening(body) {
  const { quantity = 1, client_seed: clientSeed, config_hash: configHash } = body ?? {};
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 10) {
    throw new Refusal(422, 'invalid_input', 'The quantity is 1 to 10.');
  }
  if (clientSeed != null && (typeof clientSeed !== 'string' || !/^.{1,128}$/su.test(clientSeed))) {
    throw new Refusal(422, 'invalid_input', 'The client seed is 1 to 128 characters.');
  }
  if (configHash != null && !/^[0-9a-f]{64}$/.test(configHash)) {
    throw new Refusal(422, 'invalid_input', 'The config hash is 64 hexadecimal digits.');
  }
  return { quantity, client_seed: clientSeed ?? undefined, config_hash: configHash ?? undefined };
}

async function readVault(userId) {
  const { rows } = await pool.query({ ...listVaultPage, values: [userId, PAGE_LIMIT + 1] });
  const shown = rows.slice(0, PAGE_LIMIT);
  const faces = await listFaces(shown.map((row) => row.card_id));
  const items = shown.map((row) => ({
    id: row.id,
    card: faces.get(row.card_id),
    tier: row.tier,
    value: row.value,
    state: row.state,
    sell_back: { amount: row.sell_back_amount, until: row.sell_back_until },
    is_shippable: row.state === 'vaulted' && row.stock_item_id !== null,
    opening_id: row.opening_id,
    created_at: row.created_at,
  }));
  return pageOf(items, rows, ({ id, value }) => ({ id, value }));
}

async function readFeed() {
  const { rows } = await pool.query({ ...listFeedPage, values: [PAGE_LIMIT + 1] });
  const items = rows.slice(0, PAGE_LIMIT).map((row) => ({
    ...row,
    card: JSON.parse(row.card),
    pack: JSON.parse(row.pack),
  }));
  return pageOf(items, rows, ({ sequence }) => ({ sequence }));
}

function pageOf(items, rows, position) {
  const hasMore = rows.length > items.length;
  const cursor = hasMore ? JSON.stringify(position(items.at(-1))) : null;
  return { items, next_cursor: cursor && Buffer.from(cursor).toString('base64url') };
}

/** Answers what the route answered last, with its ETag, while that is fresh. */
function keptFor(milliseconds) {
  const answers = new LRUCache({ max: 500, ttl: milliseconds });
  return (request, response, next) => {
    const kept = answers.get(request.originalUrl);
    if (kept !== undefined) {
      response.set(kept.headers).send(kept.body);
      return;
    }
    const send = response.send;
    response.send = function sendAndKeep(body) {
      const sent = send.call(this, body);
      if (typeof body === 'string' && this.statusCode === 200) {
        const headers = { 'Content-Type': this.get('Content-Type'), ETag: this.get('ETag') };
        answers.set(request.originalUrl, { body: Buffer.from(body), headers });
      }
      return sent;
    };
    next();
  };
}

function answerError(error, request, response, next) {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = error.status ?? 500;
  const code = error.code ?? 'internal_error';
  if (status >= 500) console.error(error);
  response
    .status(status)
    .type('application/problem+json')
    .json({ status, code: status >= 500 ? 'internal_error' : code, detail: error.message });
}
