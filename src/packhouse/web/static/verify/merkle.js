/** The Merkle tree hash of RFC 6962, section 2.1. */

import { joined, sha256 } from "./bytes.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of one leaf (bytes). */
export function leafHash(leaf) {
  return sha256(joined(LEAF, leaf));
}

/** The hash of a node above two. */
export function nodeHash(left, right) {
  return sha256(joined(NODE, left, right));
}

/** The largest power of two below `count`, which is at least 2: how many leaves are in the left part. */
export function splitOf(count) {
  let split = 1;
  while (2 * split < count) split *= 2;
  return split;
}

/** The root over leaves (byte arrays) in their order. */
export async function merkleRoot(leaves) {
  return rootOfHashes(await Promise.all(leaves.map(leafHash)));
}

/** The root over hashes of parts, all of one size but the last, which may be smaller. */
export async function rootOfHashes(hashes) {
  if (hashes.length === 0) return sha256(new Uint8Array());
  let row = hashes;
  // Pairing from the left and carrying an odd one up is the same tree, and all of a row is hashed at once.
  while (row.length > 1) {
    const pairs = [];
    for (let i = 0; i + 1 < row.length; i += 2) pairs.push(nodeHash(row[i], row[i + 1]));
    const odd = row.length % 2 === 1 ? [row.at(-1)] : [];
    row = [...(await Promise.all(pairs)), ...odd];
  }
  return row[0];
}
