/** The exact forms of the log's leaves, of a manifest's lines, and of a collector's history. */

import { fromUtf8 } from "./bytes.js";
import { Differs } from "./differs.js";
import { boolean, count, fields, hash, id, listOf, moment, number, oneOf, orNull, shown, slug, tier, userKey, whole } from "./forms.js";
import { canonicalText, parsePlainJson } from "./plain-json.js";

const copies = listOf(fields({ card: id, copies: count }), 1);

const LEAVES = {
  "seed.committed": { commitment: hash, user_key: userKey },
  "seed.revealed": { commitment: hash, user_key: userKey, server_seed: hash, openings: whole },
  "pack.published": { slug, number: count, config_hash: hash },
  "pack.withdrawn": { slug, config_hash: hash },
  "lot.listed": { config_hash: hash, manifest_root: hash, commitment: hash, size: count },
  "lot.closed": { manifest_root: hash, commitment: hash, server_seed: hash, draws: whole },
  "pack.opened": {
    opening: id,
    receipt_hash: hash,
    config_hash: hash,
    commitment: hash,
    user_key: userKey,
    nonce: whole,
    client_seed_hash: hash,
    tickets: listOf(whole, 1),
    cards: listOf(id, 1),
    paid_out: listOf(whole),
  },
  "lot.opened": {
    opening: id,
    receipt_hash: hash,
    config_hash: hash,
    manifest_root: hash,
    user_key: userKey,
    client_seed_hash: hash,
    draw: whole,
    tickets: listOf(whole, 1),
    cards: listOf(id, 1),
  },
  "stock.added": { cards: copies },
  "stock.withdrawn": { cards: copies },
  "stock.exhausted": { card: id },
};

const FORMS = new Map(Object.entries(LEAVES).map(([kind, further]) => [kind, fields({ kind: oneOf(kind), at: moment, ...further })]));
const NAMES = new Map(Object.entries(LEAVES).map(([kind, further]) => [kind, ["kind", "at", ...Object.keys(further)].sort().join(", ")]));

/** The kinds of leaf, in the order of the specification. */
export const KINDS = [...FORMS.keys()];

/** The leaf in bytes. Throws `Differs` unless it is one, in canonical JSON. */
export function readLeaf(bytes, name) {
  let text;
  let leaf;
  try {
    text = fromUtf8(bytes);
    leaf = JSON.parse(text);
  } catch (error) {
    throw new Differs(name, "JSON in UTF-8", error.message);
  }
  const form = FORMS.get(leaf?.kind);
  if (form === undefined) throw new Differs(`${name}.kind`, KINDS.join(" or "), shown(leaf?.kind));
  const names = Object.keys(leaf).sort().join(", ");
  if (names !== NAMES.get(leaf.kind)) throw new Differs(name, `the fields ${NAMES.get(leaf.kind)}`, names);
  form(leaf, name);
  if (canonicalText(leaf) !== text) throw new Differs(name, "RFC 8785 canonical JSON", "another spelling");
  return leaf;
}

/** When what a leaf tells happened, in milliseconds. */
export function timeOf(leaf) {
  return Date.parse(leaf.at);
}

const position = fields({ position: whole });

/** The position in the file `/log/openings/ID`. Throws `Differs`. */
export function readPosition(bytes, name) {
  const value = parsePlainJson(bytes, name);
  position(value, name);
  return value.position;
}

const item = fields({ card: id, is_last_one: boolean, position: whole, stock_item_id: orNull(id), tier, value: whole }, { photo: hash });

/** One line of a manifest. Throws `Differs` unless it is one, in canonical JSON. */
export function readItem(bytes, name) {
  const value = parsePlainJson(bytes, name);
  item(value, name);
  if (canonicalText(value) !== fromUtf8(bytes)) throw new Differs(name, "RFC 8785 canonical JSON", "another spelling");
  return value;
}

const seedPair = fields({
  commitment: hash,
  user_key: userKey,
  created_at: moment,
  first_used_at: orNull(moment),
  revealed_at: orNull(moment),
  server_seed: orNull(hash),
  openings: orNull(number(0)),
});
const history = fields({
  format: oneOf("packhouse.history/1"),
  seed_pairs: listOf(seedPair),
  receipts: listOf((value, at) => {
    if (value === null || typeof value !== "object") throw new Differs(at, "a receipt", shown(value));
  }),
});

/** A collector's history; its receipts are not looked at yet. Throws `Differs`. */
export function readHistory(bytes) {
  const value = parsePlainJson(bytes, "the history");
  history(value, "");
  return value;
}
