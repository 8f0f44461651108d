/** Exact odds of a configuration, as fractions of whole numbers: how many of each tier and card a pack has on average. */

import { totalOf } from "./drawing.js";

/** A fraction in lowest terms; both parts are BigInts. */
class Fraction {
  constructor(over, under) {
    let [one, other] = [over, under];
    while (other) [one, other] = [other, one % other];
    [this.over, this.under] = [over / one, under / one];
  }

  plus(other) {
    return new Fraction(this.over * other.under + other.over * this.under, this.under * other.under);
  }

  toString() {
    return this.under === 1n ? String(this.over) : `${this.over}/${this.under}`;
  }

  /** About as much, for people. */
  toNumber() {
    return Number((this.over * 1_000_000_000n) / this.under) / 1_000_000_000;
  }
}

/** `{ tiers, cards }`: maps from a tier, or a card's id, to how many of it a pack has on average. A lot's are those of the full box. */
export function chancesOf(config) {
  const tiers = new Map();
  const cards = new Map();
  const add = (map, name, chance) => map.set(name, (map.get(name) ?? new Fraction(0n, 1n)).plus(chance));
  for (const { tier, card, chance } of config.kind === "lot" ? chancesInLot(config.lot) : chancesInLayouts(config.layouts)) {
    add(tiers, tier, chance);
    add(cards, card, chance);
  }
  return { tiers, cards };
}

function* chancesInLayouts(layouts) {
  const layoutTotal = totalOf(layouts);
  for (const layout of layouts) {
    for (const slot of layout.slots) {
      const slotTotal = totalOf(slot.odds);
      for (const tier of slot.odds) {
        const tierTotal = totalOf(tier.cards);
        for (const card of tier.cards) {
          const over = [slot.count, layout.weight, tier.weight, card.weight].map(BigInt).reduce((product, part) => product * part);
          const under = [layoutTotal, slotTotal, tierTotal].map(BigInt).reduce((product, part) => product * part);
          yield { tier: tier.tier, card: card.card, chance: new Fraction(over, under) };
        }
      }
    }
  }
}

function* chancesInLot(lot) {
  for (const { tier, card, count } of lot.prizes) yield { tier, card, chance: new Fraction(BigInt(count), BigInt(lot.packs)) };
}
