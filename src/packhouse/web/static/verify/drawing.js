/** Drawing again, as docs/fairness.md tells it. */

import { bigEndian, fromHex, hmac, hmacKey, joined, sha256, utf8 } from "./bytes.js";

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

/** The numbers of an odds pack by its seeds: a function for `drawPack`. All but nonce and client seed in hexadecimal. */
export async function numbersOfPack({ serverSeed, configHash, userKey, nonce, clientSeed }) {
  const key = await hmacKey(fromHex(serverSeed));
  const common = { configHash: fromHex(configHash), userKey: fromHex(userKey), nonce, clientSeedHash: await sha256(utf8(clientSeed)) };
  return async (drawIndex, n) => Number(await ticketBelow(BigInt(n), key, oddsMessage({ ...common, drawIndex })));
}

/** Which of the remaining items draw number `draw` of a lot takes. All but draw, remaining and client seed in hexadecimal. */
export async function lotTicket({ lotSeed, manifestRoot, draw, remaining, userKey, clientSeed }) {
  const key = await hmacKey(fromHex(lotSeed));
  const clientSeedHash = await sha256(utf8(clientSeed));
  const message = lotMessage({ manifestRoot: fromHex(manifestRoot), draw, userKey: fromHex(userKey), clientSeedHash });
  return Number(await ticketBelow(BigInt(remaining), key, message));
}

/** The places in the manifest that the draws of a lot took, from draw 0 on. */
export async function replayLot({ lotSeed, manifestRoot, size, entries }) {
  const remaining = Array.from({ length: size }, (_, place) => place);
  const taken = [];
  for (const [draw, { userKey, clientSeed }] of entries.entries()) {
    const number = await lotTicket({ lotSeed, manifestRoot, draw, remaining: remaining.length, userKey, clientSeed });
    taken.push(...remaining.splice(number, 1));
  }
  return taken;
}
