/** The audit of a whole log from its files, for all of it or for what one visitor asks. */

import { utf8 } from "./bytes.js";
import { readCheckpoint } from "./checkpoints.js";
import { Audit } from "./audit.js";
import { checkHistory } from "./history.js";
import { readHistory } from "./leaf-shapes.js";
import { PublishedFiles } from "./published.js";
import { Tiles } from "./tiles.js";
import { walk } from "./walk.js";

/**
 * Audits a log; its checkpoints are trusted to be signed.
 *
 * `checkpoint` is the text of the state to be audited, `older` are `{ name, text }` of states before; `only` is what an
 * `Audit` takes, with a list for `userKeys`; `history` are the bytes of a collector's file, or null. Promises are held
 * against `now` in milliseconds, or against the time of the latest leaf when that is null.
 */
export async function auditLog({ source, checkpoint: text, older = [], only = {}, history: historyBytes = null, now = null, onProgress }) {
  const checkpoint = readCheckpoint(utf8(text));
  const files = new PublishedFiles(source);
  const history = historyBytes ? readHistory(historyBytes) : null;
  const keys = history ? history.seed_pairs.map((pair) => pair.user_key) : (only.userKeys ?? null);
  const audit = new Audit({ files, only: keys ? { userKeys: new Set(keys) } : only });
  await walk({
    tiles: new Tiles(source, checkpoint.size),
    checkpoint,
    older: older.map(({ name, text: state }) => ({ name, checkpoint: readCheckpoint(utf8(state)) })),
    audit,
    onProgress: (done) => onProgress?.(done, checkpoint.size),
  });
  const result = await audit.finish(now ?? Date.parse(audit.lastAt ?? 0));
  if (keys === null) return result;
  const known = new Set(audit.kept.map(({ leaf }) => leaf.user_key));
  if (history === null) return { ...result, unknown: keys.filter((key) => !known.has(key)) };
  const complaints = await checkHistory(history, audit.kept, (hash) => files.config(hash));
  return { ...result, unknown: [], history: { receipts: history.receipts.length, found: complaints.map((each) => each.message) } };
}
