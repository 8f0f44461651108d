/** The Merkle tree hash of RFC 6962, section 2.1. */

import { joined, sha256 } from "./bytes.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The root over leaves (byte arrays) in their order. */
export async function merkleRoot(leaves) {
  if (leaves.length === 0) return sha256(new Uint8Array());
  if (leaves.length === 1) return sha256(joined(LEAF, leaves[0]));
  let split = 1;
  while (2 * split < leaves.length) split *= 2;
  const [left, right] = await Promise.all([merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split))]);
  return sha256(joined(NODE, left, right));
}
