// What a pack holds, from its published version, the seed pair, the nonce and the client seed:
// the rules of docs/fairness.md.

import { createDecipheriv, createHash, createHmac } from 'node:crypto';

const TAG = Buffer.from('packhouse/draw/1');
const WORD_SPAN = 2n ** 64n;
const [NONCE_AT, DRAW_AT, CLIENT_SEED_AT, COUNTER_AT, MESSAGE_BYTES] = [64, 72, 76, 108, 112];

/** Running sums of weights, made once for each version. */
export function compileConfig(config) {
  return {
    config,
    layouts: runningSums(config.layouts),
    cards: config.layouts.map((layout) =>
      layout.slots.flatMap((slot) => {
        const compiled = {
          slot,
          tiers: runningSums(slot.odds),
          cards: slot.odds.map((tier) => runningSums(tier.cards)),
        };
        return Array(slot.count).fill(compiled);
      }),
    ),
  };
}

/** The layout and the cards of one opening, each with the tickets that selected it. */
export function decide(compiled, { configHash, serverSeed, userKey, nonce, clientSeed }) {
  const message = Buffer.alloc(MESSAGE_BYTES);
  TAG.copy(message, 0);
  configHash.copy(message, 16);
  userKey.copy(message, 48);
  message.writeBigUInt64BE(BigInt(nonce), NONCE_AT);
  createHash('sha256').update(clientSeed).digest().copy(message, CLIENT_SEED_AT);
  const draw = (of, index) => {
    message.writeUInt32BE(index, DRAW_AT);
    return { number: ticketBelow(of, serverSeed, message), of };
  };

  const layoutTicket = draw(compiled.layouts.total, 0);
  const which = choiceOf(compiled.layouts, layoutTicket.number);
  const cards = compiled.cards[which].map(({ slot, tiers, cards: tables }, index) => {
    const tierTicket = draw(tiers.total, 1 + 2 * index);
    const tierIndex = choiceOf(tiers, tierTicket.number);
    const cardTicket = draw(tables[tierIndex].total, 2 + 2 * index);
    const tier = slot.odds[tierIndex];
    const card = tier.cards[choiceOf(tables[tierIndex], cardTicket.number)];
    return { ...card, slot: slot.name, tier: tier.tier, tierTicket, cardTicket };
  });
  return { layout: compiled.config.layouts[which].name, layoutTicket, cards };
}

/** A server seed as it was before it was sealed (AES-256-GCM, bound to its pair's id). */
export function unseal(sealed, key, pairId) {
  const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  cipher.setAAD(Buffer.from(pairId.replaceAll('-', ''), 'hex'));
  cipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()]);
}

function ticketBelow(of, seed, message) {
  if (of === 1) return 0;
  const wide = BigInt(of);
  const acceptedBelow = WORD_SPAN - (WORD_SPAN % wide);
  for (let counter = 0; ; counter += 1) {
    message.writeUInt32BE(counter, COUNTER_AT);
    const block = createHmac('sha256', seed).update(message).digest();
    for (let at = 0; at < block.length; at += 8) {
      const word = block.readBigUInt64BE(at);
      if (word < acceptedBelow) return Number(word % wide);
    }
  }
}

function runningSums(weighted) {
  let total = 0;
  const bounds = weighted.map(({ weight }) => (total += weight));
  return { bounds, total };
}

function choiceOf({ bounds }, number) {
  return bounds.findIndex((bound) => number < bound);
}
