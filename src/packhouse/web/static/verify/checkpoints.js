/**
 * Checkpoints: the signed word of a log about its size and root, as C2SP tlog-checkpoint and signed-note have it.
 *
 * Further lines of signatures, of witnesses say, are left to whoever knows their keys.
 */

import { areEqual, fromBase64, fromHex, fromUtf8, joined, sha256, toHex, utf8 } from "./bytes.js";
import { Differs } from "./differs.js";

const ED25519 = 1;
const KEY_FORM = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;
const SIGNATURE_FORM = /^— (\S+) ([A-Za-z0-9+/=]+)$/;
const SIZE_FORM = /^(0|[1-9][0-9]{0,15})$/;

/** The parts of a verifier key `NAME+ID+KEY`: name, id and key (bytes). Throws `Differs`. */
export async function readVerifierKey(text) {
  const [, name, id, encoded] = text.trim().match(KEY_FORM) ?? [];
  const tagged = encoded === undefined ? null : fromBase64(encoded);
  if (tagged === null || tagged.length !== 33 || tagged[0] !== ED25519) throw new Differs("the log's key", "NAME+ID+KEY with an Ed25519 key", text.trim().slice(0, 80));
  const hash = toHex(await sha256(joined(utf8(`${name}\n`), tagged)));
  if (hash.slice(0, 8) !== id) throw new Differs("the log's key", `the id ${hash.slice(0, 8)}`, id);
  return { name, id, key: tagged.slice(1), text: text.trim() };
}

/** What a checkpoint says: origin, size, root (hexadecimal), the signed body, and its signatures. Throws `Differs`. */
export function readCheckpoint(bytes) {
  const name = "the checkpoint";
  let text;
  try {
    text = fromUtf8(bytes);
  } catch (error) {
    throw new Differs(name, "text in UTF-8", error.message);
  }
  const split = text.lastIndexOf("\n\n");
  if (split < 0 || !text.endsWith("\n")) throw new Differs(name, "lines, an empty line, and signatures", text.slice(0, 80));
  const body = text.slice(0, split + 1);
  const [origin, size, encoded, ...further] = body.slice(0, -1).split("\n");
  const root = encoded === undefined ? null : fromBase64(encoded);
  if (!origin) throw new Differs(`${name}, its origin`, "the name of a log", "nothing");
  if (!SIZE_FORM.test(size) || !Number.isSafeInteger(Number(size))) throw new Differs(`${name}, its size`, "a whole number", size ?? "nothing");
  if (root === null || root.length !== 32) throw new Differs(`${name}, its root`, "32 bytes in base64", encoded ?? "nothing");
  if (further.includes("")) throw new Differs(name, "one empty line", "another");
  const signatures = text.slice(split + 2, -1).split("\n").map(readSignature);
  return { origin, size: Number(size), root: toHex(root), body, signatures, text };
}

function readSignature(line) {
  const [, name, encoded] = line.match(SIGNATURE_FORM) ?? [];
  const bytes = encoded === undefined ? null : fromBase64(encoded);
  if (bytes === null || bytes.length < 5) throw new Differs("the checkpoint, its signature", "lines of a dash, a name and base64", line.slice(0, 80));
  return { name, id: toHex(bytes.slice(0, 4)), signature: bytes.slice(4) };
}

/** Whether this browser can check Ed25519 signatures. */
export async function hasEd25519() {
  try {
    await importKey(fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
    return true;
  } catch {
    return false;
  }
}

/** Throws `Differs` unless the checkpoint is of the key's log and signed with it. Needs `hasEd25519`. */
export async function requireSignature(checkpoint, verifierKey) {
  requireOrigin(checkpoint, verifierKey);
  const { name, id } = verifierKey;
  const own = checkpoint.signatures.filter((each) => each.name === name && each.id === id);
  if (own.length === 0) throw new Differs("the checkpoint, its signature", `one by ${name}+${id}`, checkpoint.signatures.map((each) => `${each.name}+${each.id}`).join(", "));
  const key = await importKey(verifierKey.key);
  for (const { signature } of own) {
    const isGood = await crypto.subtle.verify("Ed25519", key, signature, utf8(checkpoint.body));
    if (!isGood) throw new Differs("the checkpoint, its signature", `one of these lines by ${name}+${id}`, "one of something else");
  }
}

/** Throws `Differs` unless the checkpoint is of the log that the key is named after. */
export function requireOrigin(checkpoint, verifierKey) {
  if (checkpoint.origin !== verifierKey.name) throw new Differs("the checkpoint, its origin", verifierKey.name, checkpoint.origin);
}

/** Throws `Differs` unless the root of a tree of the checkpoint's size is the one it states. */
export function requireRoot(checkpoint, root) {
  if (!areEqual(fromHex(checkpoint.root), root)) throw new Differs(`the root of the first ${checkpoint.size} leaves`, checkpoint.root, toHex(root));
}

function importKey(key) {
  return crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
}
