/**
 * A log as a visitor meets it: its signed checkpoint, what this browser remembers of it, and single leaves with proofs.
 *
 * Steps are plain objects `{ title, lines, found, isDone }`: what was looked at, and the `Differs` that came of it.
 */

import { toHex, utf8 } from "./bytes.js";
import { hasEd25519, readCheckpoint, readVerifierKey, requireOrigin, requireRoot, requireSignature } from "./checkpoints.js";
import { Differs } from "./differs.js";
import { leafName } from "./findings.js";
import { readLeaf, readPosition } from "./leaf-shapes.js";
import { leafHash } from "./merkle.js";
import { consistencyPath, inclusionPath, requireConsistency, rootOfInclusion } from "./proofs.js";
import { Tiles, WIDTH } from "./tiles.js";

/** The tree of one checkpoint, and proofs in it; each takes a few files, however large the log. */
export class Log {
  constructor(source, checkpoint) {
    this.source = source;
    this.checkpoint = checkpoint;
    this.tiles = new Tiles(source, checkpoint.size);
  }

  /** Throws `Differs` unless the tree of an older checkpoint is the beginning of this one. */
  async requireBeginning(older) {
    const { size, root } = this.checkpoint;
    const path = older.size > size ? [] : await consistencyPath(this.tiles.rangeHash, older.size, size);
    await requireConsistency({ oldSize: older.size, oldRoot: older.root, size, root, path });
  }

  /** The leaf at a position and its way to the root, proven. Throws `Differs`. */
  async leafAt(position) {
    const { size } = this.checkpoint;
    if (position >= size) throw new Differs("the leaf's position", `below ${size}, the size of the log`, position);
    const leaves = await this.tiles.leaves(Math.floor(position / WIDTH));
    const leaf = leaves[position % WIDTH];
    const path = await inclusionPath(this.tiles.rangeHash, position, size);
    requireRoot(this.checkpoint, await rootOfInclusion({ position, size, leaf: await leafHash(leaf), path }));
    return { leaf: readLeaf(leaf, leafName(position)), path: path.map(toHex) };
  }

  /** Where the leaf of an opening is said to be; `CouldNotLook` when it is not in the log yet. */
  async positionOf(openingId) {
    const path = `openings/${openingId}`;
    return readPosition(await this.source.read(path), path);
  }
}

/**
 * Opens a log: its checkpoint, by whose key, and whether it grew from what was seen before.
 *
 * `keyText` and `olderText` are what the visitor gave, or empty; `memory` is what this browser remembers, or null.
 * Gives the log and the steps taken; a step with something found ends it, and the log is null.
 */
export async function openLog({ source, keyText, olderText, memory, isShop }) {
  const steps = [];
  const known = keyText || memory?.key;
  const stated = new TextDecoder().decode(await source.read("key"));
  const key = await readVerifierKey(known || stated);
  const checkpoint = readCheckpoint(await source.read("checkpoint"));
  const signed = await signatureStep(checkpoint, key, { from: keyText ? "You gave it" : memory ? "This browser had seen it before" : isShop ? "The shop just gave it, so this visit can only remember it" : "The folder had it" });
  if (stated.trim() !== key.text) signed.found.push(new Differs("the key that is stated now", key.text, stated.trim()));
  steps.push(signed);
  const isSigned = signed.isDone;
  if (signed.found.length) return { log: null, steps, isSigned };

  const log = new Log(source, checkpoint);
  const older = [];
  if (memory) older.push({ name: "what this browser saw last time", text: memory.checkpoint });
  if (olderText) older.push({ name: "the checkpoint that you gave", text: tidied(olderText) });
  for (const { name, text } of older) {
    const step = await growthStep(log, key, { name, text });
    steps.push(step);
    if (step.found.length) return { log: null, steps, isSigned };
  }
  if (older.length === 0) {
    const words = "Nothing: this browser sees this log for the first time. From now on it remembers this state and this key, and compares.";
    steps.push({ title: "That the log only ever grew", lines: [["Compared with", words]], found: [], isDone: false });
  }
  return { log, key, older, steps, isSigned };
}

async function signatureStep(checkpoint, key, { from }) {
  const lines = [
    ["Log", checkpoint.origin],
    ["Leaves", checkpoint.size.toLocaleString("en-US")],
    ["Root", checkpoint.root],
    ["Key", key.text],
    ["Where the key is from", from],
  ];
  if (!(await hasEd25519())) {
    requireOrigin(checkpoint, key);
    lines.push(["Why not", "This browser cannot check Ed25519 signatures. Everything else is checked; for the signature use a newer browser or the command line."]);
    return { title: "The signature of the log’s latest state", lines, found: [], isDone: false };
  }
  return { title: "The log’s latest state is signed with its key", lines, ...(await attempt(() => requireSignature(checkpoint, key))) };
}

async function growthStep(log, key, { name, text }) {
  const lines = [["Compared with", name]];
  const title = "The log only grew: all that it had then, it still has";
  return {
    title,
    lines,
    ...(await attempt(async () => {
      const older = readCheckpoint(utf8(text));
      lines.push(["Leaves then", older.size.toLocaleString("en-US")], ["Root then", older.root]);
      if (await hasEd25519()) await requireSignature(older, key);
      else requireOrigin(older, key);
      await log.requireBeginning(older);
    })),
  };
}

async function attempt(act) {
  try {
    await act();
    return { found: [], isDone: true };
  } catch (error) {
    if (error instanceof Differs) return { found: [error], isDone: true };
    throw error;
  }
}

/** A checkpoint that was pasted; what a text field does to lines is undone. */
function tidied(text) {
  return `${text.replaceAll("\r\n", "\n").trim()}\n`;
}
