/**
 * Proofs of a Merkle tree, as RFC 9162, sections 2.1.3 and 2.1.4, has them: that a leaf is in a tree, and that
 * a tree is the beginning of a larger one.
 *
 * A path is made from `rangeHash(start, end)`, the hash over the leaves from `start` to before `end`. What makes it
 * and what checks it share nothing: a path from a liar's files leads to another root.
 */

import { areEqual, fromHex, sha256, toHex } from "./bytes.js";
import { Differs } from "./differs.js";
import { nodeHash, splitOf } from "./merkle.js";

/** The hashes that lead from the leaf at `position` to the root over leaves `start` … `end` - 1, lowest first. */
export async function inclusionPath(rangeHash, position, end, start = 0) {
  if (end - start === 1) return [];
  const middle = start + splitOf(end - start);
  if (position < middle) return [...(await inclusionPath(rangeHash, position, middle, start)), await rangeHash(middle, end)];
  return [...(await inclusionPath(rangeHash, position, end, middle)), await rangeHash(start, middle)];
}

/** The root that a leaf's hash and its path lead to. Throws `Differs` when the path has the wrong length. */
export async function rootOfInclusion({ position, size, leaf, path }) {
  const wrong = () => new Differs(`the path of leaf ${position}`, `hashes for a tree of ${size}`, `${path.length} hashes`);
  if (position >= size) throw new Differs("the leaf's position", `below ${size}`, position);
  let [place, last, hash] = [position, size - 1, leaf];
  for (const beside of path) {
    if (last === 0) throw wrong();
    if (place % 2 === 1 || place === last) {
      hash = await nodeHash(beside, hash);
      while (place % 2 === 0 && place !== 0) [place, last] = halves(place, last);
    } else hash = await nodeHash(hash, beside);
    [place, last] = halves(place, last);
  }
  if (last !== 0) throw wrong();
  return hash;
}

/** The hashes that show the tree of `oldSize` leaves to be the beginning of the tree of `size`. */
export async function consistencyPath(rangeHash, oldSize, size) {
  if (oldSize === 0 || oldSize === size) return [];
  return subproof(rangeHash, { oldSize, start: 0, end: size, isWhole: true });
}

async function subproof(rangeHash, { oldSize, start, end, isWhole }) {
  if (oldSize === end) return isWhole ? [] : [await rangeHash(start, end)];
  const middle = start + splitOf(end - start);
  if (oldSize <= middle) return [...(await subproof(rangeHash, { oldSize, start, end: middle, isWhole })), await rangeHash(middle, end)];
  return [...(await subproof(rangeHash, { oldSize, start: middle, end, isWhole: false })), await rangeHash(start, middle)];
}

/** Throws `Differs` unless the path shows the old tree to be the beginning of the new one; roots in hexadecimal. */
export async function requireConsistency({ oldSize, oldRoot, size, root, path }) {
  const field = `the first ${oldSize} leaves`;
  if (oldSize > size) throw new Differs("the size of the log", `at least ${oldSize}, as before`, size);
  if (oldSize === 0 || oldSize === size) {
    const expected = oldSize === 0 ? toHex(await sha256(new Uint8Array())) : root;
    if (oldRoot !== expected) throw new Differs(`${field} (root)`, oldRoot, expected);
    if (path.length) throw new Differs(field, "no path", `${path.length} hashes`);
    return;
  }
  const [oldHash, hash] = await rootsOfConsistency({ oldSize, oldRoot, size, path });
  if (!areEqual(oldHash, fromHex(oldRoot))) throw new Differs(`${field} (root)`, oldRoot, toHex(oldHash));
  if (!areEqual(hash, fromHex(root))) throw new Differs(`the root of ${size} leaves`, root, toHex(hash));
}

async function rootsOfConsistency({ oldSize, oldRoot, size, path }) {
  const wrong = () => new Differs(`the path from ${oldSize} to ${size} leaves`, "as many hashes as it takes", `${path.length}`);
  let [place, last] = [oldSize - 1, size - 1];
  while (place % 2 === 1) [place, last] = halves(place, last);
  // An old tree of a power of two is a whole part of the new one, so its root is the first hash.
  const [first, ...rest] = place === 0 ? [fromHex(oldRoot), ...path] : path;
  if (first === undefined) throw wrong();
  let [oldHash, hash] = [first, first];
  for (const beside of rest) {
    if (last === 0) throw wrong();
    if (place % 2 === 1 || place === last) {
      [oldHash, hash] = await Promise.all([nodeHash(beside, oldHash), nodeHash(beside, hash)]);
      while (place % 2 === 0 && place !== 0) [place, last] = halves(place, last);
    } else hash = await nodeHash(hash, beside);
    [place, last] = halves(place, last);
  }
  if (last !== 0) throw wrong();
  return [oldHash, hash];
}

function halves(...numbers) {
  return numbers.map((number) => Math.floor(number / 2));
}
