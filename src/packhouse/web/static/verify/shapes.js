/**
 * The exact forms of a receipt and of a published configuration.
 *
 * A form is a function of a value and its path; it throws `Differs` where the value is not so.
 */

import { Differs } from "./differs.js";

function matching(pattern, words) {
  return (value, at) => {
    if (typeof value !== "string" || !pattern.test(value)) throw new Differs(at, words, shown(value));
  };
}

function text(value, at) {
  if (typeof value !== "string") throw new Differs(at, "a text", shown(value));
}

function boolean(value, at) {
  if (typeof value !== "boolean") throw new Differs(at, "true or false", shown(value));
}

function nothing(value, at) {
  if (value !== null) throw new Differs(at, "null", shown(value));
}

function number(least, most = Number.MAX_SAFE_INTEGER) {
  return (value, at) => {
    if (!Number.isSafeInteger(value) || value < least || value > most) throw new Differs(at, `a whole number from ${least} on`, shown(value));
  };
}

function oneOf(...choices) {
  return (value, at) => {
    if (!choices.includes(value)) throw new Differs(at, choices.join(" or "), shown(value));
  };
}

function orNull(form) {
  return (value, at) => value === null || form(value, at);
}

function listOf(form, least = 0) {
  return (value, at) => {
    if (!Array.isArray(value) || value.length < least) throw new Differs(at, `a list of at least ${least}`, shown(value));
    value.forEach((part, i) => form(part, `${at}[${i}]`));
  };
}

function fields(needed, optional = {}) {
  return (value, at) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Differs(at, "an object", shown(value));
    const path = (name) => (at ? `${at}.${name}` : name);
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(needed, name) && !Object.hasOwn(optional, name)) throw new Differs(path(name), "no such field", shown(value[name]));
    }
    for (const [name, form] of Object.entries(needed)) {
      if (!Object.hasOwn(value, name)) throw new Differs(path(name), "this field", "nothing");
      form(value[name], path(name));
    }
    for (const [name, form] of Object.entries(optional)) {
      if (Object.hasOwn(value, name)) form(value[name], path(name));
    }
  };
}

function shown(value) {
  return JSON.stringify(value)?.slice(0, 80) ?? "nothing";
}

const hash = matching(/^[0-9a-f]{64}$/, "64 hexadecimal digits in small letters");
const userKey = matching(/^[0-9a-f]{32}$/, "32 hexadecimal digits in small letters");
const id = matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "a UUID in small letters");
const moment = matching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z$/, "a time in UTC");
const slug = matching(/^[a-z0-9]+(-[a-z0-9]+)*$/, "a slug");
const clientSeed = matching(/^.{1,128}$/su, "1 to 128 characters");
const tier = oneOf("D", "C", "B", "A", "S", "SS", "SSS");
const origin = oneOf("request", "stored");
const whole = number(0);
const count = number(1);

const ticket = fields({ number: whole, of: count });
const face = fields({ id, name: text, set: text, number: text, image_url: orNull(text) });
const packName = fields({ slug, name: text, version: count, config_hash: hash });
const lotName = fields({ id, manifest_root: hash, commitment: hash });
const anyCard = { user_card_id: id, card: face, tier, value: whole };

const FORMS = {
  odds: receiptForm(
    "odds",
    fields({ ...anyCard, slot: text, tier_ticket: ticket, card_ticket: ticket }, { paid_out: boolean }),
    { nonce: whole, layout: text, layout_ticket: ticket, lot: nothing },
  ),
  lot: receiptForm(
    "lot",
    fields(anyCard, { draw: whole, ticket, last_one: boolean }),
    { nonce: nothing, layout: nothing, layout_ticket: nothing, lot: lotName },
  ),
};

function receiptForm(kind, card, proof) {
  return fields({
    format: oneOf("packhouse.receipt/1"),
    id,
    kind: oneOf(kind),
    pack: packName,
    price: whole,
    cards: listOf(card, 1),
    proof: fields({ config_hash: hash, commitment: hash, user_key: userKey, client_seed: clientSeed, client_seed_origin: origin, ...proof }),
    created_at: moment,
    server_seed: orNull(hash),
  });
}

const weightedTier = fields({ tier, weight: count, cards: listOf(fields({ card: id, weight: count, value: whole, physical: boolean }), 1) });
const layout = fields({ name: text, weight: count, slots: listOf(fields({ name: text, count, odds: listOf(weightedTier, 1) }), 1) });
const prize = fields({ card: id, tier, value: whole, physical: boolean, count });
const anyConfig = {
  format: oneOf("packhouse.pack/1"),
  slug,
  number: count,
  name: text,
  description: text,
  price: whole,
  sell_back: fields({ rate_basis_points: number(0, 10_000), window_seconds: whole }),
  out_of_stock: oneOf("pay_locked_value"),
};
const lotTerms = fields({
  packs: count,
  cards_per_pack: count,
  prizes: listOf(prize, 1),
  last_one: orNull(prize),
  manifest_root: hash,
  commitment: hash,
});

const CONFIG_FORMS = {
  odds: fields({ ...anyConfig, kind: oneOf("odds"), layouts: listOf(layout, 1), lot: nothing }),
  lot: fields({ ...anyConfig, kind: oneOf("lot"), layouts: noLayouts, lot: lotTerms }),
};

function noLayouts(value, at) {
  if (!Array.isArray(value) || value.length > 0) throw new Differs(at, "an empty list", shown(value));
}

/** Throws `Differs` unless the value is a receipt: every field there, none besides. */
export function requireReceipt(value) {
  requireForm(FORMS, value);
}

/** Throws `Differs` unless the value is a configuration. */
export function requireConfig(value) {
  requireForm(CONFIG_FORMS, value);
}

function requireForm(forms, value) {
  const kind = value?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(forms, kind)) throw new Differs("kind", "odds or lot", shown(kind));
  forms[kind](value, "");
}
