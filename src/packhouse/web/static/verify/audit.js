/**
 * An audit: holds the leaves of a log, one after the other, against what has to hold (docs/fairness.md, "The draw log").
 *
 * Laws 1 to 4 and every draw; law 5, that the log only grows, is about trees and stands in `walk.js` and `proofs.js`.
 */

import { NotThere } from "./could-not-look.js";
import { Differs } from "./differs.js";
import { Findings, LAW } from "./findings.js";
import { KINDS } from "./leaf-shapes.js";
import { LotLaws } from "./lot-laws.js";
import { PairLaws } from "./pair-laws.js";
import { StockLaws } from "./stock-laws.js";

/**
 * Give it every leaf in order by `take`, then `finish`.
 *
 * `files` is a `PublishedFiles`. With `only`, an object with one of `userKeys` (a Set), `manifestRoot`, `slug` (of
 * lots) and `configHash`, the leaves of others are passed over.
 */
export class Audit {
  constructor({ files, only = {} }) {
    this.files = files;
    this.only = only;
    this.isWhole = Object.keys(only).length === 0;
    this.findings = new Findings();
    this.kinds = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
    this.commitments = new Set();
    this.published = new Map();
    this.kept = [];
    this.work = [];
    this.lastAt = null;
    this.pairs = new PairLaws(this);
    this.lots = new LotLaws(this);
    this.stock = new StockLaws(this);
  }

  /** The next leaf, already read. */
  async take(position, leaf) {
    this.kinds[leaf.kind] += 1;
    if (this.lastAt === null || Date.parse(leaf.at) > Date.parse(this.lastAt)) this.lastAt = leaf.at;
    if (this.only.userKeys?.has(leaf.user_key)) this.kept.push({ position, leaf });
    switch (leaf.kind) {
      case "pack.published":
        return this.takePublished(position, leaf);
      case "pack.withdrawn":
        return this.takeWithdrawn(position, leaf);
      case "seed.committed":
        return this.pairs.committed(position, leaf);
      case "seed.revealed":
        return this.pairs.revealed(position, leaf);
      case "pack.opened":
        return this.pairs.opened(position, leaf);
      case "lot.listed":
        return this.lots.listed(position, leaf);
      case "lot.opened":
        return this.lots.opened(position, leaf);
      case "lot.closed":
        return this.lots.closed(position, leaf);
    }
    if (this.isWhole) this.stock.take(position, leaf);
  }

  /** Waits for the draws that are being made again. */
  async settle() {
    const work = this.work;
    this.work = [];
    await Promise.all(work);
  }

  /** What waits has waited too long, or not; `now` in milliseconds. Gives what the whole audit came to. */
  async finish(now) {
    await this.pairs.finish(now);
    await this.lots.finish(now);
    await this.settle();
    if (this.isWhole) this.stock.finish();
    return {
      found: this.findings.list(),
      foundCount: this.findings.count,
      kinds: this.kinds,
      lastAt: this.lastAt,
      pairs: this.pairs.summary(),
      lots: this.lots.summary(),
      paidOut: this.stock.paidOutCount,
      publications: [...this.published.values()].map(({ position, leaf }) => ({ position, ...leaf })),
    };
  }

  /** Law 1: a commitment is made once, be it of a pair or of a lot. Whether it was the first time. */
  commit(position, commitment) {
    const isFirst = !this.commitments.has(commitment);
    if (!isFirst) this.findings.at(position, LAW, "commitment", "one that was not made before", commitment);
    this.commitments.add(commitment);
    return isFirst;
  }

  takePublished(position, leaf) {
    if (this.published.has(leaf.config_hash)) this.findings.at(position, LAW, "config_hash", "one that was not published before", leaf.config_hash);
    else this.published.set(leaf.config_hash, { position, leaf, config: null });
    return this.isWhole ? this.configOf(position, leaf.config_hash) : undefined;
  }

  takeWithdrawn(position, leaf) {
    const published = this.published.get(leaf.config_hash);
    if (published === undefined) this.findings.at(position, LAW, "config_hash", "one that was published before", leaf.config_hash);
    else this.findings.unequal(position, LAW, [["slug", published.leaf.slug, leaf.slug]]);
  }

  /** The configuration that the leaf at `position` rests on; null when something is wrong with it. Throws `CouldNotLook`. */
  async configOf(position, hash) {
    const published = this.published.get(hash);
    if (published === undefined) {
      this.findings.at(position, LAW, "config_hash", "one that was published before", hash);
      return null;
    }
    published.config ??= this.readPublished(published);
    return published.config;
  }

  async readPublished({ position, leaf }) {
    const config = await this.fileOf(position, `configs/${leaf.config_hash}.json`, () => this.files.config(leaf.config_hash));
    if (config === null) return null;
    this.findings.unequal(position, LAW, [
      ["slug", config.slug, leaf.slug],
      ["number", config.number, leaf.number],
    ]);
    return config;
  }

  /** What `read` gives; null, and noted at the leaf that made the file known, when it differs or is gone. */
  async fileOf(position, path, read) {
    try {
      return await read();
    } catch (error) {
      if (error instanceof NotThere) this.findings.note(position, LAW, new Differs(path, "the file that the log names", "nothing"));
      else if (error instanceof Differs) this.findings.note(position, LAW, error);
      else throw error;
      return null;
    }
  }
}
