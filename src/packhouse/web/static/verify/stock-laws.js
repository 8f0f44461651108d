/**
 * What has to hold of copies: law 4. No more are drawn than came on sale, and a value is paid only when none is left.
 *
 * Leaves stand in the order of their publication, which within a minute may differ from that of the facts. So what
 * does not add up is a doubt at first, which leaves about the same minute can clear.
 */

import { LAW } from "./findings.js";
import { timeOf } from "./leaf-shapes.js";

const CROSSING_MS = 60_000;

/** Belongs to an `Audit`. */
export class StockLaws {
  constructor(audit) {
    this.audit = audit;
    this.cards = new Map();
    this.paidOutCount = 0;
  }

  /** A leaf about stock. */
  take(position, leaf) {
    if (leaf.kind === "stock.added") this.added(leaf);
    else if (leaf.kind === "stock.withdrawn") leaf.cards.forEach(({ card, copies }, i) => this.leave(position, { field: `cards[${i}].copies`, card, copies, at: timeOf(leaf) }));
    else if (!this.of(leaf.card).wasPaid) this.audit.findings.at(position, LAW, "card", "one whose value was paid out before", leaf.card);
  }

  added(leaf) {
    const at = timeOf(leaf);
    for (const { card, copies } of leaf.cards) {
      const stock = this.of(card);
      stock.left += copies;
      stock.arrivals = [...stock.arrivals.filter((each) => each.at > at - CROSSING_MS), { at, copies }];
      clear(stock.missing, copies, at);
    }
  }

  /** An opened odds pack; `physical` are the ids of its configuration's cards that have copies. */
  drawn(position, leaf, physical) {
    const paidOut = new Set(leaf.paid_out);
    leaf.cards.forEach((card, place) => {
      if (!physical.has(card)) return;
      if (paidOut.has(place)) this.pay(position, { card, at: timeOf(leaf) });
      else this.leave(position, { field: `cards[${place}]`, card, copies: 1, at: timeOf(leaf) });
    });
  }

  finish() {
    for (const { missing, heldBack } of this.cards.values()) {
      for (const { position, field, expected, found, copies } of [...missing, ...heldBack]) {
        if (copies > 0) this.audit.findings.at(position, LAW, field, expected, found);
      }
    }
  }

  leave(position, { field, card, copies, at }) {
    const stock = this.of(card);
    const left = Math.max(0, stock.left);
    stock.left -= copies;
    clear(stock.heldBack, copies, at);
    if (copies <= left) return;
    stock.missing.push({ position, field, expected: `at most the ${left} copies of ${card} that are left`, found: copies, copies: copies - left, until: at + CROSSING_MS });
  }

  pay(position, { card, at }) {
    this.paidOutCount += 1;
    const stock = this.of(card);
    stock.wasPaid = true;
    const recent = stock.arrivals.filter((each) => each.at > at - CROSSING_MS).reduce((sum, { copies }) => sum + copies, 0);
    const left = stock.left - recent;
    if (left <= 0) return;
    stock.heldBack.push({ position, field: "paid_out", expected: `${card} out of the ${left} copies that are left`, found: "its value", copies: left, until: at + CROSSING_MS });
  }

  of(card) {
    if (!this.cards.has(card)) this.cards.set(card, { left: 0, arrivals: [], missing: [], heldBack: [], wasPaid: false });
    return this.cards.get(card);
  }
}

/** Lets `copies` that came or went at a time speak for doubts about that minute. */
function clear(doubts, copies, at) {
  let unused = copies;
  for (const doubt of doubts) {
    if (at > doubt.until) continue;
    const used = Math.min(doubt.copies, unused);
    doubt.copies -= used;
    unused -= used;
  }
}
