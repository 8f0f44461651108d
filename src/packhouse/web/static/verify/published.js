/** The files beside a log's tiles: configurations and manifests, each held against the hash that it is named by. */

import { toHex } from "./bytes.js";
import { readConfig } from "./configs.js";
import { Differs, unequal } from "./differs.js";
import { readItem } from "./leaf-shapes.js";
import { merkleRoot } from "./merkle.js";

/** Reads from a source of `sources.js`; both functions throw `Differs` and `CouldNotLook`. */
export class PublishedFiles {
  constructor(source) {
    this.source = source;
    this.configs = new Map();
  }

  /** The configuration with this hash. */
  config(hash) {
    if (!this.configs.has(hash)) this.configs.set(hash, this.readConfig(hash));
    return this.configs.get(hash);
  }

  async readConfig(hash) {
    const path = `configs/${hash}.json`;
    return readConfig(await this.source.read(path), hash, path);
  }

  /** The items of the manifest with this root, in its order. */
  async manifest(root) {
    const path = `manifests/${root}.jsonl`;
    return readManifest(await this.source.read(path), root, path);
  }
}

/** The items in a manifest's bytes. Throws `Differs`, calling it `name`, unless its lines hash to `root` (hexadecimal). */
export async function readManifest(bytes, root, name = "the manifest") {
  const lines = linesOf(bytes);
  const found = toHex(await merkleRoot(lines));
  if (found !== root) throw new Differs(`${name} (root)`, root, found);
  return lines.map((line, i) => readItem(line, `${name} [${i}]`));
}

function linesOf(bytes) {
  const lines = [];
  for (let start = 0; start < bytes.length; ) {
    const next = bytes.indexOf(10, start);
    const end = next < 0 ? bytes.length : next;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** Where a manifest does not list the prizes of its lot's terms, in their order: a list of `Differs`. */
export function checkManifest(items, lot) {
  const listed = lot.prizes.flatMap((prize) => Array.from({ length: prize.count }, () => ({ ...prize, isLastOne: false })));
  if (lot.last_one !== null) listed.push({ ...lot.last_one, isLastOne: true });
  if (items.length !== listed.length) return [new Differs("the manifest", `${listed.length} items`, items.length)];
  return items.flatMap((item, i) => {
    const at = `the manifest [${i}]`;
    const prize = listed[i];
    return unequal([
      [`${at}.position`, i, item.position],
      [`${at}.card`, prize.card, item.card],
      [`${at}.tier`, prize.tier, item.tier],
      [`${at}.value`, prize.value, item.value],
      [`${at}.is_last_one`, prize.isLastOne, item.is_last_one],
      [`${at}.stock_item_id`, prize.physical ? "the very copy" : "nothing", item.stock_item_id === null ? "nothing" : "the very copy"],
      [`${at}.photo`, prize.physical ? item.photo : undefined, item.photo],
    ]);
  });
}
