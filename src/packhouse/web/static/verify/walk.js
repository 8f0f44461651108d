/**
 * A walk over a whole log: reads every leaf in order, builds the tree anew, and holds every tile and every
 * checkpoint against it.
 */

import { areEqual, fromHex, toHex } from "./bytes.js";
import { Differs } from "./differs.js";
import { FORM, leafName } from "./findings.js";
import { readLeaf } from "./leaf-shapes.js";
import { leafHash, rootOfHashes } from "./merkle.js";
import { tilePath, WIDTH } from "./tiles.js";

/** Bundles asked for ahead of the one that is looked at. */
const AHEAD = 6;

/**
 * Gives `audit` every leaf of the tree of `checkpoint`, which `tiles` are of.
 *
 * `older` are `{ name, checkpoint }`, states that the tree has to have gone through. `onProgress(done)` is told after
 * each bundle. What is wrong goes to the audit's findings; throws `Differs` where a bundle cannot be taken apart.
 */
export async function walk({ tiles, checkpoint, older = [], audit, onProgress = () => {} }) {
  const { findings } = audit;
  const tree = new GrowingTree(tiles, findings);
  const roots = older.map(({ name, checkpoint: state }) => ({ name, checkpoint: state, root: null }));
  const bundles = Math.ceil(tiles.size / WIDTH);
  const asked = [];
  const ask = (number) => {
    const promise = Promise.all([tiles.leaves(number), tiles.hashes(0, number)]);
    promise.catch(() => {}); // its turn to be heard comes below
    asked.push(promise);
  };
  for (let number = 0; number < Math.min(AHEAD, bundles); number += 1) ask(number);
  for (let number = 0; number < bundles; number += 1) {
    const [leaves, stated] = await asked.shift();
    if (number + AHEAD < bundles) ask(number + AHEAD);
    const hashes = await Promise.all(leaves.map(leafHash));
    const start = number * WIDTH;
    for (const state of roots) {
      const rest = state.checkpoint.size - start;
      if (rest >= 0 && rest < leaves.length) state.root = await tree.rootWith(hashes.slice(0, rest));
    }
    await tree.add(hashes);
    for (const [i, leaf] of leaves.entries()) await takeLeaf(audit, start + i, { leaf, hash: hashes[i], stated: stated[i] });
    await audit.settle();
    onProgress(start + leaves.length);
  }
  await tree.finish();
  const root = await tree.rootWith([]);
  if (!areEqual(root, fromHex(checkpoint.root))) findings.behind(new Differs("the checkpoint, its root", `${toHex(root)}, to which the leaves hash`, checkpoint.root));
  for (const state of roots) {
    const { size, root: before } = state.checkpoint;
    const then = size === tiles.size ? root : state.root;
    if (then === null) findings.behind(new Differs(state.name, `at most the ${tiles.size} leaves of the log`, size));
    else if (!areEqual(then, fromHex(before))) findings.behind(new Differs(state.name, `the root ${before} over the first ${size} leaves`, `a forked log, with ${toHex(then)}`));
  }
}

async function takeLeaf(audit, position, { leaf, hash, stated }) {
  const name = leafName(position);
  if (!areEqual(hash, stated)) audit.findings.note(position, FORM, new Differs(name, `${toHex(stated)} as in its tile`, toHex(hash)));
  let read;
  try {
    read = readLeaf(leaf, name);
  } catch (error) {
    if (!(error instanceof Differs)) throw error;
    audit.findings.note(position, FORM, error);
    return;
  }
  await audit.take(position, read);
}

/** A tree that grows by tiles, bottom up; what is complete is held against the tile that is served. */
class GrowingTree {
  constructor(tiles, findings) {
    this.tiles = tiles;
    this.findings = findings;
    this.rows = [[]];
    this.counts = [];
  }

  /** Adds the leaf hashes of one bundle; only the last may have fewer than 256. */
  async add(hashes) {
    if (hashes.length < WIDTH) this.rows[0] = hashes;
    else await this.carry(1, await rootOfHashes(hashes));
  }

  /** Adds the hash of a full tile below to a row. */
  async carry(level, hash) {
    const row = (this.rows[level] ??= []);
    row.push(hash);
    if (row.length < WIDTH) return;
    await this.compare(level, row);
    this.rows[level] = [];
    await this.carry(level + 1, await rootOfHashes(row));
  }

  /** The root when these leaf hashes, fewer than 256, come behind the full tiles; without any, those that were added. */
  async rootWith(hashes) {
    const rows = [hashes.length ? hashes : this.rows[0], ...this.rows.slice(1)];
    let edge = [];
    for (const row of rows) {
      const whole = [...row, ...edge];
      edge = whole.length ? [await rootOfHashes(whole)] : [];
    }
    return edge[0] ?? rootOfHashes([]);
  }

  /** Holds the tiles at the right edge against the tree. */
  async finish() {
    for (const [level, row] of this.rows.entries()) {
      if (level > 0 && row.length) await this.compare(level, row);
    }
  }

  async compare(level, row) {
    const number = (this.counts[level] ??= 0);
    this.counts[level] += 1;
    const stated = await this.tiles.hashes(level, number);
    row.forEach((hash, place) => {
      if (areEqual(hash, stated[place])) return;
      this.findings.behind(new Differs(`${tilePath(level, number, row.length)}, hash ${place}`, toHex(hash), toHex(stated[place])));
    });
  }
}
