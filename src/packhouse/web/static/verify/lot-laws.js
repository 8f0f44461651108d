/** What has to hold of finite lots: laws 1 to 3, and every draw, with the seed once it is revealed. */

import { fromHex, sha256, toHex } from "./bytes.js";
import { numbersOfLot } from "./drawing.js";
import { DRAW, LAW } from "./findings.js";
import { timeOf } from "./leaf-shapes.js";
import { differences } from "./pair-laws.js";
import { checkManifest } from "./published.js";

/** The leaf of a lot's end may stand a little behind that of its last draw. */
const CLOSING_MS = 60_000;

/** Belongs to an `Audit`. */
export class LotLaws {
  constructor(audit) {
    this.audit = audit;
    this.findings = audit.findings;
    this.lots = new Map();
    this.drawnAgain = 0;
    this.waiting = 0;
  }

  async listed(position, leaf) {
    const { findings } = this;
    const config = this.isLookedAt(leaf) ? await this.audit.configOf(position, leaf.config_hash) : null;
    this.audit.commit(position, leaf.commitment);
    if (!this.isLookedAt(leaf)) return;
    if (this.lots.has(leaf.config_hash)) {
      findings.at(position, LAW, "config_hash", "one that was not listed before", leaf.config_hash);
      return;
    }
    // The same prizes may be sold again, under another seed, once the lot before has ended.
    if (this.all.some((lot) => lot.leaf.manifest_root === leaf.manifest_root && !lot.isClosed)) {
      findings.at(position, LAW, "manifest_root", "one that is not on sale", leaf.manifest_root);
    }
    if (config === null) return;
    if (config.kind !== "lot") {
      findings.at(position, LAW, "config_hash", "that of a lot", "that of an odds pack");
      return;
    }
    const terms = config.lot;
    const size = terms.packs * terms.cards_per_pack;
    findings.unequal(position, LAW, [
      ["manifest_root", terms.manifest_root, leaf.manifest_root],
      ["commitment", terms.commitment, leaf.commitment],
      ["size", size, leaf.size],
    ]);
    this.lots.set(leaf.config_hash, { leaf, terms, size, draws: 0, openings: [], last: null, isClosed: false, seed: null, left: null });
    const items = await this.audit.fileOf(position, `manifests/${terms.manifest_root}.jsonl`, () => this.audit.files.manifest(terms.manifest_root));
    for (const complaint of items === null ? [] : checkManifest(items, terms)) findings.note(position, LAW, complaint);
  }

  opened(position, leaf) {
    if (!this.isLookedAt(leaf)) return;
    const { findings } = this;
    if (this.audit.isWhole && !this.audit.pairs.userKeys.has(leaf.user_key)) findings.at(position, LAW, "user_key", "that of a pair that was committed to before", leaf.user_key);
    const lot = this.lots.get(leaf.config_hash);
    if (lot === undefined) {
      findings.at(position, LAW, "config_hash", "that of a lot that was listed before", leaf.config_hash);
      return;
    }
    findings.unequal(position, LAW, [["manifest_root", lot.terms.manifest_root, leaf.manifest_root]]);
    if (lot.isClosed) findings.at(position, LAW, "config_hash", "that of a lot that has not ended", leaf.config_hash);
    findings.unequal(position, LAW, [["draw", lot.draws, leaf.draw]]);
    const end = leaf.draw + lot.terms.cards_per_pack;
    if (end > lot.size) {
      findings.at(position, LAW, "draw", `at most ${lot.size - lot.terms.cards_per_pack}`, leaf.draw);
      return;
    }
    lot.draws = end;
    lot.last = { position, at: timeOf(leaf) };
    lot.openings.push({ position, leaf });
  }

  async closed(position, leaf) {
    const { findings } = this;
    const lot = this.all.find((each) => each.terms.commitment === leaf.commitment);
    if (lot === undefined) {
      if (this.audit.isWhole) findings.at(position, LAW, "commitment", "that of a lot that was listed before", leaf.commitment);
      return;
    }
    const hash = toHex(await sha256(fromHex(leaf.server_seed)));
    if (hash !== leaf.commitment) findings.at(position, LAW, "server_seed", `a seed with the SHA-256 ${leaf.commitment}`, `${leaf.server_seed} with ${hash}`);
    findings.unequal(position, LAW, [["manifest_root", lot.terms.manifest_root, leaf.manifest_root]]);
    if (lot.isClosed) findings.at(position, LAW, "commitment", "that of a lot that has not ended", leaf.commitment);
    findings.unequal(position, LAW, [["draws", lot.draws, leaf.draws]]);
    lot.isClosed = true;
    if (hash === leaf.commitment) lot.seed = leaf.server_seed;
  }

  /** Replays a lot from its first draw: with its seed, or else by the stated numbers. */
  async replay(lot) {
    const { terms, seed } = lot;
    const numberOf = seed === null ? null : await numbersOfLot({ lotSeed: seed, manifestRoot: terms.manifest_root });
    const remaining = terms.prizes.flatMap((prize) => Array(prize.count).fill(prize));
    lot.left = remaining;
    for (const { position, leaf } of lot.openings) {
      if (numberOf === null) this.waiting += 1;
      else this.drawnAgain += 1;
      if (leaf.tickets.length !== terms.cards_per_pack) {
        this.findings.at(position, DRAW, "tickets", `${terms.cards_per_pack} of them`, leaf.tickets.length);
        lot.left = null;
        return;
      }
      const taken = await this.takePack({ position, leaf }, remaining, numberOf);
      if (taken === null) {
        lot.left = null;
        return;
      }
      if (leaf.draw + terms.cards_per_pack === lot.size && terms.last_one !== null) taken.push(terms.last_one);
      this.findings.unequal(position, DRAW, differences("cards", taken.map(({ card }) => card), leaf.cards));
    }
  }

  /** Takes the prizes of one pack out of what remains; null when a number selects none of them. */
  async takePack({ position, leaf }, remaining, numberOf) {
    const taken = [];
    for (const [i, stated] of leaf.tickets.entries()) {
      const common = { draw: leaf.draw + i, remaining: remaining.length, userKey: leaf.user_key, clientSeedHash: leaf.client_seed_hash };
      // Where an opening is missing before, what remains is not what its draws left.
      if (remaining.length === 0) return null;
      const number = numberOf === null ? stated : await numberOf(common);
      this.findings.unequal(position, DRAW, [[`tickets[${i}]`, number, stated]]);
      if (number >= remaining.length) {
        this.findings.at(position, DRAW, `tickets[${i}]`, `below ${remaining.length}`, number);
        return null;
      }
      taken.push(...remaining.splice(number, 1));
    }
    return taken;
  }

  async finish(now) {
    for (const lot of this.all) {
      await this.replay(lot);
      if (lot.isClosed || lot.draws < lot.size || now - lot.last.at <= CLOSING_MS) continue;
      this.findings.at(lot.last.position, LAW, "draw", "the lot’s seed revealed with its last draw", "no end of the lot");
    }
  }

  summary() {
    return {
      drawnAgain: this.drawnAgain,
      waiting: this.waiting,
      all: this.all.map(({ leaf, size, draws, isClosed, left }) => ({
        manifestRoot: leaf.manifest_root,
        configHash: leaf.config_hash,
        size,
        draws,
        isClosed,
        left: left === null ? null : tiersOf(left),
      })),
    };
  }

  isLookedAt(leaf) {
    const { isWhole, only, published } = this.audit;
    if (isWhole) return true;
    return only.slug ? published.get(leaf.config_hash)?.leaf.slug === only.slug : only.manifestRoot === leaf.manifest_root;
  }

  get all() {
    return [...this.lots.values()];
  }
}

function tiersOf(prizes) {
  const counts = {};
  for (const { tier } of prizes) counts[tier] = (counts[tier] ?? 0) + 1;
  return counts;
}
