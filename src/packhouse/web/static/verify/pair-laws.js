/** What has to hold of seed pairs and of the odds packs opened under them: laws 1 to 3, and every draw. */

import { fromHex, sha256, toHex } from "./bytes.js";
import { Differs } from "./differs.js";
import { drawPack, numbersOfPack } from "./drawing.js";
import { DRAW, LAW, leafName } from "./findings.js";
import { timeOf } from "./leaf-shapes.js";

const DAY_MS = 86_400_000;
const UNREVEALED_DAYS_MAX = 7;

/** Belongs to an `Audit`. */
export class PairLaws {
  constructor(audit) {
    this.audit = audit;
    this.findings = audit.findings;
    this.pairs = new Map();
    this.userKeys = new Set();
    this.drawnAgain = 0;
    this.waiting = 0;
  }

  committed(position, leaf) {
    const isFirst = this.audit.commit(position, leaf.commitment);
    if (!isFirst || !this.isLookedAt(leaf)) return;
    if (this.userKeys.has(leaf.user_key)) this.findings.at(position, LAW, "user_key", "one that no pair had before", leaf.user_key);
    this.userKeys.add(leaf.user_key);
    this.pairs.set(leaf.commitment, { userKey: leaf.user_key, firstUse: null, count: 0, openings: [], isRevealed: false, seed: null });
  }

  async opened(position, leaf) {
    if (!this.isLookedAt(leaf)) return;
    const pair = this.pairs.get(leaf.commitment);
    if (pair === undefined) this.findings.at(position, LAW, "commitment", "one that was made before", leaf.commitment);
    else this.takeNonce(position, leaf, pair);
    const config = await this.audit.configOf(position, leaf.config_hash);
    if (config !== null && config.kind !== "odds") this.findings.at(position, LAW, "config_hash", "that of an odds pack", "that of a lot");
    if (config?.kind !== "odds") return;
    if (this.audit.isWhole) this.audit.stock.drawn(position, leaf, physicalOf(config));
    const opening = { position, leaf, config };
    if (pair === undefined) this.audit.work.push(this.follow(opening));
    else if (pair.seed !== null) this.audit.work.push(this.drawAgain(opening, pair.seed));
    else pair.openings.push(opening);
  }

  takeNonce(position, leaf, pair) {
    this.findings.unequal(position, LAW, [["user_key", pair.userKey, leaf.user_key]]);
    if (pair.isRevealed) this.findings.at(position, LAW, "commitment", "one whose seed is not revealed yet", leaf.commitment);
    this.findings.unequal(position, LAW, [["nonce", pair.count, leaf.nonce]]);
    // Counting goes on from what is stated, so that one gap is told once.
    pair.count = leaf.nonce + 1;
    pair.firstUse ??= { position, at: timeOf(leaf) };
  }

  async revealed(position, leaf) {
    if (!this.isLookedAt(leaf)) return;
    const pair = this.pairs.get(leaf.commitment);
    if (pair === undefined) {
      this.findings.at(position, LAW, "commitment", "one that was made before", leaf.commitment);
      return;
    }
    const hash = toHex(await sha256(fromHex(leaf.server_seed)));
    this.findings.unequal(position, LAW, [["user_key", pair.userKey, leaf.user_key]]);
    if (hash !== leaf.commitment) this.findings.at(position, LAW, "server_seed", `a seed with the SHA-256 ${leaf.commitment}`, `${leaf.server_seed} with ${hash}`);
    this.findings.unequal(position, LAW, [["openings", pair.count, leaf.openings]]);
    if (pair.isRevealed) this.findings.at(position, LAW, "commitment", "one whose seed is not revealed yet", leaf.commitment);
    else if (pair.firstUse !== null && isLate(pair.firstUse.at, timeOf(leaf))) {
      this.findings.at(position, LAW, "at", `at the latest ${UNREVEALED_DAYS_MAX} days after the first use`, leaf.at);
    }
    pair.isRevealed = true;
    if (hash !== leaf.commitment) return;
    pair.seed = leaf.server_seed;
    for (const opening of pair.openings) this.audit.work.push(this.drawAgain(opening, leaf.server_seed));
    pair.openings = [];
  }

  /** Draws a pack again with its seed. */
  async drawAgain({ position, leaf, config }, serverSeed) {
    this.drawnAgain += 1;
    const numberOf = await numbersOfPack({
      serverSeed,
      configHash: leaf.config_hash,
      userKey: leaf.user_key,
      nonce: leaf.nonce,
      clientSeedHash: leaf.client_seed_hash,
    });
    const drawn = await drawPack(config, numberOf);
    const tickets = [drawn.layoutTicket, ...drawn.cards.flatMap((card) => [card.tierTicket, card.cardTicket])].map(({ number }) => number);
    this.findings.unequal(position, DRAW, [...differences("tickets", tickets, leaf.tickets), ...differences("cards", drawn.cards.map(({ card }) => card), leaf.cards)]);
    this.checkPaidOut(position, leaf, config);
  }

  /** Without a seed: whether the stated numbers select the stated cards. */
  async follow({ position, leaf, config }) {
    this.waiting += 1;
    const { tickets } = leaf;
    try {
      const drawn = await drawPack(config, (index, of) => {
        const at = `${leafName(position)}.tickets`;
        if (index >= tickets.length) throw new Differs(at, `a number ${index}`, `${tickets.length} numbers`);
        if (tickets[index] >= of) throw new Differs(`${at}[${index}]`, `below ${of}`, tickets[index]);
        return tickets[index];
      });
      const count = 1 + 2 * drawn.cards.length;
      this.findings.unequal(position, DRAW, [
        ["tickets", `${count} numbers`, `${tickets.length} numbers`],
        ...differences("cards", drawn.cards.map(({ card }) => card), leaf.cards),
      ]);
    } catch (error) {
      if (!(error instanceof Differs)) throw error;
      this.findings.note(position, DRAW, error);
    }
    this.checkPaidOut(position, leaf, config);
  }

  checkPaidOut(position, { cards, paid_out: paidOut }, config) {
    const physical = physicalOf(config);
    paidOut.forEach((place, i) => {
      if (i > 0 && place <= paidOut[i - 1]) this.findings.at(position, DRAW, "paid_out", "places in their order, each once", paidOut.join(", "));
      if (place >= cards.length) this.findings.at(position, DRAW, `paid_out[${i}]`, `a place below ${cards.length}`, place);
      else if (!physical.has(cards[place])) this.findings.at(position, DRAW, `paid_out[${i}]`, "that of a physical card: a digital one never runs out", place);
    });
  }

  async finish(now) {
    for (const pair of this.pairs.values()) {
      for (const opening of pair.openings) await this.follow(opening);
      if (pair.isRevealed || pair.firstUse === null || !isLate(pair.firstUse.at, now)) continue;
      const days = ((now - pair.firstUse.at) / DAY_MS).toFixed(1);
      this.findings.at(pair.firstUse.position, LAW, "commitment", `its seed revealed within ${UNREVEALED_DAYS_MAX} days of this first use`, `no reveal in ${days} days`);
    }
  }

  summary() {
    const all = [...this.pairs.values()];
    const used = all.filter((pair) => pair.count > 0);
    return { count: all.length, used: used.length, unrevealed: used.filter((pair) => !pair.isRevealed).length, drawnAgain: this.drawnAgain, waiting: this.waiting };
  }

  isLookedAt(leaf) {
    return this.audit.isWhole || this.audit.only.userKeys?.has(leaf.user_key) === true;
  }
}

function isLate(firstUse, then) {
  return then - firstUse > UNREVEALED_DAYS_MAX * DAY_MS;
}

/** Where two lists differ, as `[field, expected, found]`: in their length, or place by place. */
export function differences(field, expected, found) {
  if (expected.length !== found.length) return [[field, `${expected.length} of them`, `${found.length}`]];
  return expected.map((each, i) => [`${field}[${i}]`, each, found[i]]);
}

const PHYSICAL = new WeakMap();

/** The ids of a configuration's cards that have copies. */
function physicalOf(config) {
  if (!PHYSICAL.has(config)) {
    const cards = config.layouts.flatMap(({ slots }) => slots.flatMap(({ odds }) => odds.flatMap((tier) => tier.cards)));
    PHYSICAL.set(config, new Set(cards.filter((card) => card.physical).map((card) => card.card)));
  }
  return PHYSICAL.get(config);
}
