/** A published configuration: that it is the one with a hash, that it makes sense, and what it makes of odds. */

import { fromUtf8, sha256, toHex } from "./bytes.js";
import { Differs } from "./differs.js";
import { totalOf } from "./drawing.js";
import { canonicalText, parsePlainJson } from "./plain-json.js";
import { requireConfig } from "./shapes.js";

/** The configuration in bytes that hash to `configHash` (hexadecimal). Throws `Differs`, calling it `name`. */
export async function readConfig(bytes, configHash, name = "the configuration") {
  const found = toHex(await sha256(bytes));
  if (found !== configHash) throw new Differs(`${name} (SHA-256)`, configHash, found);
  const config = parsePlainJson(bytes, name);
  requireConfig(config);
  if (canonicalText(config) !== fromUtf8(bytes)) throw new Differs(name, "RFC 8785 canonical JSON", "another spelling");
  for (const [field, expected, wrong] of complaints(config)) throw new Differs(`${name} ${field}`, expected, wrong);
  return config;
}

/** What a form alone cannot say of a configuration: [field, expected, found]. */
function* complaints(config) {
  if (config.lot !== null) {
    const size = config.lot.packs * config.lot.cards_per_pack;
    const listed = config.lot.prizes.reduce((sum, prize) => sum + prize.count, 0);
    if (listed !== size) yield ["lot.prizes", `${size} prizes, one for each draw`, listed];
    if (config.lot.last_one !== null && config.lot.last_one.count !== 1) yield ["lot.last_one.count", 1, config.lot.last_one.count];
  }
  yield* tooHeavy("layouts", config.layouts);
  for (const [i, layout] of config.layouts.entries()) {
    for (const [j, slot] of layout.slots.entries()) {
      const field = `layouts[${i}].slots[${j}].odds`;
      yield* repeated(field, slot.odds.map((tier) => tier.tier));
      yield* tooHeavy(field, slot.odds);
      for (const [k, tier] of slot.odds.entries()) {
        yield* repeated(`${field}[${k}].cards`, tier.cards.map((card) => card.card));
        yield* tooHeavy(`${field}[${k}].cards`, tier.cards);
      }
    }
  }
}

function* repeated(field, names) {
  if (new Set(names).size < names.length) yield [field, "each at most once", names.join(", ")];
}

function* tooHeavy(field, choices) {
  if (totalOf(choices) > Number.MAX_SAFE_INTEGER) yield [field, "weights that add up to less than 2^53", totalOf(choices)];
}
