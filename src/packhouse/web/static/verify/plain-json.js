/**
 * JSON with one reading only, and its canonical spelling.
 *
 * `JSON.parse` takes the last of two fields with one name, rounds numbers beyond 2^53, and reads `1.0`
 * and `1` alike; so what was read is written again and compared with what was there.
 */

import { fromUtf8 } from "./bytes.js";
import { Differs } from "./differs.js";

const PIECES = /"(?:[^"\\]|\\.)*"|[^\s"]+/g;

/** The value in JSON bytes. Throws `Differs` about the file called `name`. */
export function parsePlainJson(bytes, name) {
  let text;
  let value;
  try {
    text = fromUtf8(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw new Differs(name, "plain JSON in UTF-8", error.message);
  }
  // Space between the pieces, and how a character is escaped, are nobody's concern.
  const pieces = text.match(PIECES).map((piece) => (piece.startsWith('"') ? JSON.stringify(JSON.parse(piece)) : piece));
  if (pieces.join("") !== JSON.stringify(value) || !isPlain(value)) {
    throw new Differs(name, "each field once, and plain whole numbers below 2^53", "something else");
  }
  return value;
}

/**
 * RFC 8785 JSON of a value of objects, lists, texts, whole numbers, booleans and null.
 *
 * The RFC takes JavaScript's own writing of texts and numbers for its rule, and sorts names by UTF-16
 * units, as `sort` does. So sorted names are all that is left to do.
 */
export function canonicalText(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalText(value[name])}`).join(",")}}`;
}

function isPlain(value) {
  if (typeof value === "number") return Number.isSafeInteger(value);
  // Half of a surrogate pair can be spelt by an escape, and has no UTF-8.
  if (typeof value === "string") return !/\p{Surrogate}/u.test(value);
  return value === null || typeof value !== "object" || Object.entries(value).flat().every(isPlain);
}
