/** Bytes, hexadecimal, and the two functions of WebCrypto that a draw is made of. */

const TEXT = new TextEncoder();

/** The bytes of hexadecimal digits. */
export function fromHex(digits) {
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Bytes as hexadecimal digits in small letters. */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A text's UTF-8. */
export function utf8(text) {
  return TEXT.encode(text);
}

/** The text in UTF-8 bytes; throws on bytes that are none, and keeps a byte order mark as a character. */
export function fromUtf8(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Byte arrays one behind the other. */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A whole number below 2^(8·width) in `width` bytes, the highest first. */
export function bigEndian(number, width) {
  const bytes = new Uint8Array(width);
  let rest = BigInt(number);
  for (let at = width - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** SHA-256 of bytes. */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** A key for HMAC-SHA-256. */
export function hmacKey(seed) {
  return crypto.subtle.importKey("raw", seed, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/** HMAC-SHA-256 of bytes under a key of `hmacKey`. */
export async function hmac(key, bytes) {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes));
}

/** The bytes of standard base64 with its padding; null for any other spelling. */
export function fromBase64(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
  return toBase64(bytes) === text ? bytes : null;
}

/** Bytes in standard base64. */
export function toBase64(bytes) {
  let characters = "";
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return btoa(characters);
}

/** Whether two byte arrays are the same. */
export function areEqual(one, other) {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
