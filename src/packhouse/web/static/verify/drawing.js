/** Drawing again, as docs/fairness.md tells it. */

import { bigEndian, fromHex, hmac, hmacKey, joined, sha256, toHex, utf8 } from "./bytes.js";

const ODDS_TAG = utf8("packhouse/draw/1");
const LOT_TAG = utf8("packhouse/lot/01");
const WORDS_A_BLOCK = 4;
const WORD_SPAN = 2n ** 64n;

/** The 108 bytes of one draw of an odds pack. */
export function oddsMessage({ configHash, userKey, nonce, drawIndex, clientSeedHash }) {
  return joined(ODDS_TAG, configHash, userKey, bigEndian(nonce, 8), bigEndian(drawIndex, 4), clientSeedHash);
}

/** The 104 bytes of one draw of a lot. */
export function lotMessage({ manifestRoot, draw, userKey, clientSeedHash }) {
  return joined(LOT_TAG, manifestRoot, bigEndian(draw, 8), userKey, clientSeedHash);
}

/** The number of a message, uniform in 0 … n - 1; `n` and the number are BigInts. */
export async function ticketBelow(n, key, message) {
  const tooHigh = (WORD_SPAN / n) * n;
  for (let counter = 0; ; counter += 1) {
    const block = await hmac(key, joined(message, bigEndian(counter, 4)));
    const words = new DataView(block.buffer);
    for (let i = 0; i < WORDS_A_BLOCK; i += 1) {
      const word = words.getBigUint64(8 * i);
      if (word < tooHigh) return word % n;
    }
  }
}

/** Which of the weighted choices owns `number`: each owns as many numbers as it weighs, in order. */
export function chosen(choices, number) {
  let rest = number;
  for (const choice of choices) {
    if (rest < choice.weight) return choice;
    rest -= choice.weight;
  }
  throw new RangeError(`No choice owns the number ${number}.`);
}

/** What all the weights add up to. */
export function totalOf(choices) {
  return choices.reduce((sum, choice) => sum + choice.weight, 0);
}

/** What a pack of the configuration holds when draw `index` out of `n` gives `await numberOf(index, n)`. */
export async function drawPack(config, numberOf) {
  const draw = async (index, choices) => {
    const of = totalOf(choices);
    const number = await numberOf(index, of);
    return [{ number, of }, chosen(choices, number)];
  };
  const [layoutTicket, layout] = await draw(0, config.layouts);
  const cards = [];
  for (const slot of layout.slots) {
    for (let copy = 0; copy < slot.count; copy += 1) {
      const i = cards.length;
      const [tierTicket, tier] = await draw(1 + 2 * i, slot.odds);
      const [cardTicket, card] = await draw(2 + 2 * i, tier.cards);
      cards.push({ slot: slot.name, tier: tier.tier, ...card, tierTicket, cardTicket });
    }
  }
  return { layout: layout.name, layoutTicket, cards };
}

/** The hash of a client seed as the messages have it, in hexadecimal. */
export async function hashOfClientSeed(clientSeed) {
  return toHex(await sha256(utf8(clientSeed)));
}

/** The numbers of an odds pack by its seeds: a function for `drawPack`. All but the nonce in hexadecimal. */
export async function numbersOfPack({ serverSeed, configHash, userKey, nonce, clientSeedHash }) {
  const key = await hmacKey(fromHex(serverSeed));
  const common = { configHash: fromHex(configHash), userKey: fromHex(userKey), nonce, clientSeedHash: fromHex(clientSeedHash) };
  return async (drawIndex, n) => (n === 1 ? 0 : Number(await ticketBelow(BigInt(n), key, oddsMessage({ ...common, drawIndex }))));
}

/**
 * The numbers of a lot by its seed: a function of `{ draw, remaining, userKey, clientSeedHash }` that answers which of
 * the remaining items that draw takes. All but draw and remaining in hexadecimal.
 */
export async function numbersOfLot({ lotSeed, manifestRoot }) {
  const key = await hmacKey(fromHex(lotSeed));
  const root = fromHex(manifestRoot);
  return async ({ draw, remaining, userKey, clientSeedHash }) => {
    if (remaining === 1) return 0;
    const message = lotMessage({ manifestRoot: root, draw, userKey: fromHex(userKey), clientSeedHash: fromHex(clientSeedHash) });
    return Number(await ticketBelow(BigInt(remaining), key, message));
  };
}

/** The places in the manifest that the draws of a lot took, from draw 0 on; entries are userKey and clientSeedHash. */
export async function replayLot({ lotSeed, manifestRoot, size, entries }) {
  const numberOf = await numbersOfLot({ lotSeed, manifestRoot });
  const remaining = Array.from({ length: size }, (_, place) => place);
  const taken = [];
  for (const [draw, entry] of entries.entries()) {
    const number = await numberOf({ ...entry, draw, remaining: remaining.length });
    taken.push(...remaining.splice(number, 1));
  }
  return taken;
}
