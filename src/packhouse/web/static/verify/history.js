/** A collector's own history, held against the leaves that the log has under its keys. */

import { sha256, toHex, utf8 } from "./bytes.js";
import { Differs, unequal } from "./differs.js";
import { checkCommitment, checkDraws, checkTerms } from "./opening.js";
import { canonicalText } from "./plain-json.js";
import { requireReceipt } from "./shapes.js";
import { hashOfClientSeed } from "./drawing.js";

/** SHA-256, in hexadecimal, of a whole receipt as it was before any reveal. */
export async function hashOfReceipt(receipt) {
  return toHex(await sha256(utf8(canonicalText({ ...receipt, server_seed: null }))));
}

/** Where a receipt is not the one of its leaf: a list of `Differs`. */
export async function checkLeafOfReceipt(receipt, leaf) {
  const { proof } = receipt;
  const isLot = receipt.kind === "lot";
  const drawn = receipt.cards.filter((card) => card.last_one === undefined);
  const tickets = isLot ? drawn.map((card) => card.ticket) : [proof.layout_ticket, ...drawn.flatMap((card) => [card.tier_ticket, card.card_ticket])];
  const pairs = [
    ["kind", isLot ? "lot.opened" : "pack.opened", leaf.kind],
    ["opening", receipt.id, leaf.opening],
    ["config_hash", proof.config_hash, leaf.config_hash],
    ["user_key", proof.user_key, leaf.user_key],
    ["client_seed_hash", await hashOfClientSeed(proof.client_seed), leaf.client_seed_hash],
    ["tickets", tickets.map((ticket) => ticket?.number).join(", "), leaf.tickets?.join(", ")],
    ["cards", receipt.cards.map((card) => card.card.id).join(", "), leaf.cards?.join(", ")],
    ["receipt_hash", await hashOfReceipt(receipt), leaf.receipt_hash],
  ];
  if (isLot) pairs.push(["manifest_root", proof.lot.manifest_root, leaf.manifest_root], ["draw", drawn[0]?.draw, leaf.draw]);
  else {
    const paidOut = receipt.cards.flatMap((card, place) => (card.paid_out ? [place] : []));
    pairs.push(["commitment", proof.commitment, leaf.commitment], ["nonce", proof.nonce, leaf.nonce], ["paid_out", paidOut.join(", "), leaf.paid_out?.join(", ")]);
  }
  return unequal(pairs).map(({ field, expected, found }) => new Differs(`the leaf’s ${field}`, expected, found));
}

/**
 * Where a history and the leaves under its keys do not tell the same: a list of `Differs`.
 *
 * `kept` are all leaves with these user keys, `{ position, leaf }`; `configOf(hash)` gives a configuration.
 */
export async function checkHistory(history, kept, configOf) {
  const found = [];
  const leaves = new Map(kept.map(({ leaf }) => [`${leaf.kind} ${leaf.user_key}`, leaf]));
  for (const [i, pair] of history.seed_pairs.entries()) {
    const at = `seed_pairs[${i}]`;
    const committed = leaves.get(`seed.committed ${pair.user_key}`);
    const revealed = leaves.get(`seed.revealed ${pair.user_key}`);
    found.push(...unequal([[`${at}.commitment in the log`, pair.commitment, committed?.commitment]]));
    // Revealed after the history was handed out, or not yet.
    if (pair.server_seed === null) continue;
    found.push(
      ...unequal([
        [`${at}.server_seed in the log`, pair.server_seed, revealed?.server_seed],
        [`${at}.openings in the log`, pair.openings, revealed?.openings],
      ]),
    );
  }
  const seeds = new Map(kept.filter(({ leaf }) => leaf.kind === "seed.revealed").map(({ leaf }) => [leaf.commitment, leaf.server_seed]));
  const openings = new Map(kept.filter(({ leaf }) => leaf.kind.endsWith(".opened")).map(({ leaf }) => [leaf.opening, leaf]));
  for (const [i, receipt] of history.receipts.entries()) {
    const complaints = await checkOwnReceipt(withSeed(receipt, seeds), { leaf: openings.get(receipt.id), configOf, history });
    found.push(...complaints.map(({ field, expected, found: wrong }) => new Differs(`receipts[${i}], ${field}`, expected, wrong)));
    openings.delete(receipt.id);
  }
  for (const [opening, leaf] of openings) found.push(new Differs(`the receipt of opening ${opening}`, `one, the log having it under the key ${leaf.user_key}`, "nothing"));
  return found;
}

/** The receipt with the seed that the log has revealed since it was handed out. */
function withSeed(receipt, seeds) {
  const seed = seeds.get(receipt?.proof?.commitment);
  return receipt?.server_seed === null && seed ? { ...receipt, server_seed: seed } : receipt;
}

async function checkOwnReceipt(receipt, { leaf, configOf, history }) {
  try {
    requireReceipt(receipt);
    if (!history.seed_pairs.some((pair) => pair.user_key === receipt.proof.user_key)) {
      return [new Differs("proof.user_key", "a key of the seed pairs", receipt.proof.user_key)];
    }
    if (leaf === undefined) return [new Differs("its leaf", `one for opening ${receipt.id}`, "nothing in the log")];
    const config = await configOf(receipt.proof.config_hash);
    return [
      ...(await checkCommitment(receipt)),
      ...checkTerms(receipt, config, receipt.proof.config_hash),
      ...(await checkDraws(receipt, config)),
      ...(await checkLeafOfReceipt(receipt, leaf)),
    ];
  } catch (error) {
    if (error instanceof Differs) return [error];
    throw error;
  }
}
