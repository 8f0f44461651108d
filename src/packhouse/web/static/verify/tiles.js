/**
 * The files of a log, as C2SP tlog-tiles has them: 256 hashes of a level in a tile, 256 leaves in a bundle.
 *
 * What is read here is only what somebody serves: a proof, or the whole tree, has to lead to a signed root.
 */

import { joined } from "./bytes.js";
import { CouldNotLook } from "./could-not-look.js";
import { Differs } from "./differs.js";
import { rootOfHashes, nodeHash, splitOf } from "./merkle.js";

/** Hashes in a full tile, leaves in a full bundle. */
export const WIDTH = 256;
const HASH_BYTES = 32;
const TILES_KEPT_MAX = 256;

/** `tile/LEVEL/N` or `tile/LEVEL/N.p/WIDTH`; the level of bundles is `"entries"`. */
export function tilePath(level, number, width = WIDTH) {
  const digits = String(number).padStart(Math.ceil(String(number).length / 3) * 3, "0");
  const groups = digits.match(/.{3}/g);
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${name}${width < WIDTH ? `.p/${width}` : ""}`;
}

/** How many hashes (or leaves) tile `number` of a level has in a tree of `size` leaves. */
export function tileWidth(level, number, size) {
  const unit = level === "entries" ? 1 : WIDTH ** level;
  return Math.max(0, Math.min(WIDTH, Math.floor(size / unit) - number * WIDTH));
}

/** The hashes of a tile's bytes. Throws `Differs`. */
export function hashesOf(bytes, path, width) {
  if (bytes.length !== width * HASH_BYTES) throw new Differs(path, `${width} hashes of 32 bytes`, `${bytes.length} bytes`);
  return Array.from({ length: width }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

/** The leaves of a bundle's bytes, each of them bytes. Throws `Differs`. */
export function leavesOf(bytes, path, width) {
  const leaves = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 2 + ((bytes[at] << 8) | bytes[at + 1]);
    if (!(end <= bytes.length)) throw new Differs(path, `leaf ${leaves.length} to its end`, `${bytes.length} bytes`);
    leaves.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (leaves.length !== width) throw new Differs(path, `${width} leaves`, leaves.length);
  return leaves;
}

/** Reads tiles and bundles of a tree of `size` leaves from a source. */
export class Tiles {
  constructor(source, size) {
    this.source = source;
    this.size = size;
    this.kept = new Map();
  }

  /** The hashes of one tile. */
  async hashes(level, number) {
    const key = `${level}/${number}`;
    if (!this.kept.has(key)) {
      if (this.kept.size >= TILES_KEPT_MAX) this.kept.clear();
      this.kept.set(key, this.read(level, number, hashesOf));
    }
    return this.kept.get(key);
  }

  /** The leaves of one bundle. */
  leaves(number) {
    return this.read("entries", number, leavesOf);
  }

  async read(level, number, split) {
    const width = tileWidth(level, number, this.size);
    const path = tilePath(level, number, width);
    let bytes;
    try {
      bytes = await this.source.read(path);
    } catch (error) {
      if (width === WIDTH || !(error instanceof CouldNotLook)) throw error;
      // The log has grown: what was a part is full now, and a mirror may keep only that.
      const whole = tilePath(level, number);
      const parts = await this.source.read(whole).catch(() => Promise.reject(error));
      return split(parts, whole, WIDTH).slice(0, width);
    }
    return split(bytes, path, width);
  }

  /** The hash over leaves `start` … `end` - 1, where `start` is a multiple of a power of two not below `end - start`. */
  rangeHash = async (start, end) => {
    const count = end - start;
    const half = count === 1 ? 1 : splitOf(count);
    if (count > 1 && count !== 2 * half) {
      return nodeHash(await this.rangeHash(start, start + half), await this.rangeHash(start + half, end));
    }
    let [level, unit] = [0, 1];
    while (unit * WIDTH <= count) [level, unit] = [level + 1, unit * WIDTH];
    const number = Math.floor(start / (unit * WIDTH));
    const first = start / unit - number * WIDTH;
    return rootOfHashes((await this.hashes(level, number)).slice(first, first + count / unit));
  };

  /** How many bytes all bundles have, roughly: by the first one. */
  async estimateBytes() {
    if (this.size === 0) return 0;
    const first = joined(...(await this.leaves(0)));
    return Math.round((first.length / tileWidth("entries", 0, this.size) + 2) * this.size);
  }
}
