/**
 * One opening against what was published: every number, every card, every term.
 *
 * The checks are those of `packhouse verify opening`, written anew; golden vectors keep them alike.
 */

import { fromHex, sha256, toHex } from "./bytes.js";
import { Differs, unequal } from "./differs.js";
import { drawPack, hashOfClientSeed, numbersOfLot, numbersOfPack } from "./drawing.js";
import { parsePlainJson } from "./plain-json.js";
import { requireReceipt } from "./shapes.js";

/** The receipt in a file's bytes. Throws `Differs`. */
export function readReceipt(bytes) {
  const receipt = parsePlainJson(bytes, "the receipt");
  requireReceipt(receipt);
  return receipt;
}

/** Where the revealed seed does not hash to the commitment: a list of `Differs`, empty when all is well. */
export async function checkCommitment(receipt) {
  const { commitment } = receipt.proof;
  if (receipt.server_seed === null) return [];
  const found = toHex(await sha256(fromHex(receipt.server_seed)));
  return found === commitment ? [] : [new Differs("server_seed", `a seed with the SHA-256 ${commitment}`, `${receipt.server_seed} with ${found}`)];
}

/** Where the receipt does not repeat the published version rightly. */
export function checkTerms(receipt, config, configHash) {
  const { pack, proof } = receipt;
  const pairs = [
    ["kind", config.kind, receipt.kind],
    ["pack.slug", config.slug, pack.slug],
    ["pack.name", config.name, pack.name],
    ["pack.version", config.number, pack.version],
    ["pack.config_hash", configHash, pack.config_hash],
    ["proof.config_hash", configHash, proof.config_hash],
    ["price", config.price, receipt.price],
  ];
  if (config.lot !== null && proof.lot !== null) {
    pairs.push(
      ["proof.commitment", config.lot.commitment, proof.commitment],
      ["proof.lot.commitment", config.lot.commitment, proof.lot.commitment],
      ["proof.lot.manifest_root", config.lot.manifest_root, proof.lot.manifest_root],
    );
  }
  const ids = receipt.cards.map((card) => card.user_card_id);
  const again = ids.findIndex((each, i) => ids.indexOf(each) < i);
  return [...unequal(pairs), ...(again < 0 ? [] : [new Differs(`cards[${again}].user_card_id`, "an id of its own", `${ids[again]} again`)])];
}

/** Where a number or a card does not follow from the seeds and the weights; without a seed, from the stated numbers. */
export async function checkDraws(receipt, config) {
  if (receipt.kind !== config.kind) return [new Differs("kind", "the kind of the published version", "the other kind")];
  try {
    return await (config.kind === "lot" ? checkLotDraws(receipt, config.lot) : checkOddsDraws(receipt, config));
  } catch (error) {
    if (error instanceof Differs) return [error];
    throw error;
  }
}

async function checkOddsDraws(receipt, config) {
  const { proof } = receipt;
  const numberOf =
    receipt.server_seed === null
      ? statedNumber(receipt)
      : await numbersOfPack({
          serverSeed: receipt.server_seed,
          configHash: proof.config_hash,
          userKey: proof.user_key,
          nonce: proof.nonce,
          clientSeedHash: await hashOfClientSeed(proof.client_seed),
        });
  const drawn = await drawPack(config, numberOf);
  const pairs = [
    ["proof.layout_ticket.number", drawn.layoutTicket.number, proof.layout_ticket.number],
    ["proof.layout_ticket.of", drawn.layoutTicket.of, proof.layout_ticket.of],
    ["proof.layout", drawn.layout, proof.layout],
    ["cards", `${drawn.cards.length} cards`, `${receipt.cards.length} cards`],
  ];
  receipt.cards.slice(0, drawn.cards.length).forEach((card, i) => {
    const again = drawn.cards[i];
    const at = `cards[${i}]`;
    pairs.push(
      [`${at}.slot`, again.slot, card.slot],
      [`${at}.tier_ticket.number`, again.tierTicket.number, card.tier_ticket.number],
      [`${at}.tier_ticket.of`, again.tierTicket.of, card.tier_ticket.of],
      [`${at}.tier`, again.tier, card.tier],
      [`${at}.card_ticket.number`, again.cardTicket.number, card.card_ticket.number],
      [`${at}.card_ticket.of`, again.cardTicket.of, card.card_ticket.of],
      [`${at}.card.id`, again.card, card.card.id],
      [`${at}.value`, again.value, card.value],
    );
    if (card.paid_out === false) pairs.push([`${at}.paid_out`, "nothing, or true", "false"]);
    if (card.paid_out === true && !again.physical) pairs.push([`${at}.paid_out`, "nothing: a digital card never runs out", "true"]);
  });
  return unequal(pairs);
}

function statedNumber(receipt) {
  return (drawIndex, n) => {
    const i = Math.ceil(drawIndex / 2) - 1;
    const name = drawIndex % 2 === 1 ? "tier_ticket" : "card_ticket";
    if (i >= receipt.cards.length) throw new Differs("cards", `card number ${i + 1}`, `${i} cards`);
    const [field, ticket] = drawIndex === 0 ? ["proof.layout_ticket", receipt.proof.layout_ticket] : [`cards[${i}].${name}`, receipt.cards[i][name]];
    if (ticket.of !== n) throw new Differs(`${field}.of`, n, ticket.of);
    if (ticket.number >= n) throw new Differs(`${field}.number`, `below ${n}`, ticket.number);
    return ticket.number;
  };
}

async function checkLotDraws(receipt, lot) {
  const size = lot.packs * lot.cards_per_pack;
  const drawn = receipt.cards.filter((card) => card.last_one === undefined);
  const rest = receipt.cards.slice(drawn.length);
  if (drawn.length !== lot.cards_per_pack || rest.some((card) => card.last_one === undefined)) {
    throw new Differs("cards", `${lot.cards_per_pack} drawn cards, then at most the last-one prize`, `${drawn.length} drawn of ${receipt.cards.length}`);
  }
  const first = drawn[0].draw;
  if (first === undefined || first % lot.cards_per_pack !== 0 || first >= size) {
    throw new Differs("cards[0].draw", `a multiple of ${lot.cards_per_pack} below ${size}`, first ?? "nothing");
  }
  const found = [];
  for (const [i, card] of drawn.entries()) found.push(...(await checkLotCard(receipt, card, { at: `cards[${i}]`, draw: first + i, remaining: size - first - i })));
  found.push(...checkPrizes(drawn, lot.prizes));
  found.push(...checkLastOne(rest, first + lot.cards_per_pack === size ? lot.last_one : null, `cards[${lot.cards_per_pack}]`));
  return found;
}

async function checkLotCard(receipt, card, { at, draw, remaining }) {
  const { proof } = receipt;
  if (card.ticket === undefined) return [new Differs(`${at}.ticket`, "the number that was drawn", "nothing")];
  const found = [];
  let { number } = card.ticket;
  if (receipt.server_seed !== null) {
    const numberOf = await numbersOfLot({ lotSeed: receipt.server_seed, manifestRoot: proof.lot.manifest_root });
    number = await numberOf({ draw, remaining, userKey: proof.user_key, clientSeedHash: await hashOfClientSeed(proof.client_seed) });
  } else if (number >= remaining) {
    found.push(new Differs(`${at}.ticket.number`, `below ${remaining}`, number));
  }
  return [
    ...found,
    ...unequal([
      [`${at}.draw`, draw, card.draw],
      [`${at}.ticket.of`, remaining, card.ticket.of],
      [`${at}.ticket.number`, number, card.ticket.number],
    ]),
  ];
}

function checkPrizes(drawn, prizes) {
  const left = prizes.map((prize) => ({ ...prize }));
  return drawn.flatMap((card, i) => {
    const prize = left.find((each) => each.count > 0 && each.card === card.card.id && each.tier === card.tier && each.value === card.value);
    if (!prize) return [new Differs(`cards[${i}]`, "a card, tier and value of the prize list", `${card.card.id}, tier ${card.tier}, value ${card.value}`)];
    prize.count -= 1;
    return [];
  });
}

function checkLastOne(rest, prize, at) {
  if (prize === null || rest.length !== 1) {
    if (prize === null && rest.length === 0) return [];
    return [new Differs(at, prize === null ? "nothing" : "the last-one prize alone", `${rest.length} cards`)];
  }
  const [card] = rest;
  return unequal([
    [`${at}.last_one`, true, card.last_one],
    [`${at}.draw`, undefined, card.draw],
    [`${at}.ticket`, undefined, card.ticket],
    [`${at}.card.id`, prize.card, card.card.id],
    [`${at}.tier`, prize.tier, card.tier],
    [`${at}.value`, prize.value, card.value],
  ]);
}
