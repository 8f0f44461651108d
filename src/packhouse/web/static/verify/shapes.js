/** The exact forms of a receipt and of a published configuration. */

import { Differs } from "./differs.js";
import { boolean, count, fields, hash, id, listOf, matching, moment, nothing, number, oneOf, orNull, shown, slug, text, tier, userKey, whole } from "./forms.js";

const clientSeed = matching(/^.{1,128}$/su, "1 to 128 characters");
const origin = oneOf("request", "stored");

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
