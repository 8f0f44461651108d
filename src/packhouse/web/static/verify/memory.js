/**
 * What this browser remembers of the shop's log between visits: its key, and the largest state that held.
 *
 * The first visit has to trust what it gets; every later one notices when the log or its key is another.
 */

const NAME = "packhouse.log";

/** `{ key, checkpoint, seenAt }` with the texts of both, or null. */
export function recall() {
  try {
    const memory = JSON.parse(localStorage.getItem(NAME));
    return typeof memory?.key === "string" && typeof memory?.checkpoint === "string" ? memory : null;
  } catch {
    return null;
  }
}

/** Remembers a state that was found to be a continuation of what was remembered. */
export function remember({ key, checkpoint }) {
  try {
    localStorage.setItem(NAME, JSON.stringify({ key: key.text, checkpoint: checkpoint.text, seenAt: new Date().toISOString() }));
  } catch {
    // A browser that keeps nothing meets the log for the first time each time, and the page says so.
  }
}

/** Forgets it, as after a change of key that the shop has announced. */
export function forget() {
  localStorage.removeItem(NAME);
}
