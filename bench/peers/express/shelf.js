// What hardly changes, in process memory: published versions (which never change) and card faces.

import { pool } from './database.js';
import { compileConfig } from './draw.js';

const FRESH_MS = 500;

const versions = new Map();
const faces = new Map();
const packs = new Map();

/** The pack on sale under a slug, at most half a second old; undefined when there is none. */
export async function findPack(slug) {
  const known = packs.get(slug);
  if (known !== undefined && performance.now() - known.lookedAt < FRESH_MS) return known.pack;
  const { rows } = await pool.query(FIND_PACK, [slug]);
  const pack = rows.length === 0 ? undefined : await withVersion(rows[0]);
  packs.set(slug, { pack, lookedAt: performance.now() });
  return pack;
}

/** The faces of cards by id. */
export async function listFaces(ids) {
  const missing = ids.filter((id) => !faces.has(id));
  if (missing.length > 0) {
    const { rows } = await pool.query(LIST_CARDS, [missing]);
    for (const { id, name, set_name: set, number, picture } of rows) {
      const imageUrl = picture === null ? null : `/media/${picture}`;
      faces.set(id, { id, name, set, number, image_url: imageUrl });
    }
  }
  return faces;
}

async function withVersion({ pack_id: id, slug, version_id: versionId }) {
  if (!versions.has(versionId)) {
    const { rows } = await pool.query(FIND_VERSION, [versionId]);
    const config = JSON.parse(rows[0].config);
    // Known from now on, so that an opening never waits for a second connection while it has one.
    await listFaces(listCards(config));
    const compiled = compileConfig(config);
    versions.set(versionId, { configHash: rows[0].config_hash, compiled });
  }
  return { id, slug, versionId, ...versions.get(versionId) };
}

function listCards({ layouts }) {
  const tiers = layouts.flatMap(({ slots }) => slots.flatMap(({ odds }) => odds));
  return [...new Set(tiers.flatMap(({ cards }) => cards.map(({ card }) => card)))];
}

const FIND_PACK = `
  SELECT id AS pack_id, slug, current_version_id AS version_id
  FROM packs
  WHERE slug = $1 AND withdrawn_at IS NULL AND current_version_id IS NOT NULL`;

const FIND_VERSION = 'SELECT config, config_hash FROM pack_versions WHERE id = $1';

const LIST_CARDS = 'SELECT id, name, set_name, number, picture FROM cards WHERE id = ANY ($1::uuid[])';
