/**
 * Reads a whole log beside the page, so that the page stays alive.
 *
 * Takes one message, what `auditLog` takes, and answers with `{ progress }` on the way and in the end one of
 * `{ result }`, `{ differs }` or `{ couldNotLook }`.
 */

import { CouldNotLook } from "./could-not-look.js";
import { Differs } from "./differs.js";
import { auditLog } from "./log-audit.js";
import { sourceOf } from "./sources.js";

const PROGRESS_PAUSE_MS = 100;

addEventListener("message", async ({ data }) => {
  let told = 0;
  const onProgress = (done, of) => {
    if (Date.now() - told < PROGRESS_PAUSE_MS) return;
    told = Date.now();
    postMessage({ progress: { done, of } });
  };
  try {
    postMessage({ result: await auditLog({ ...data, source: sourceOf(data.source), onProgress }) });
  } catch (error) {
    if (error instanceof Differs) postMessage({ differs: { field: error.field, expected: error.expected, found: error.found } });
    else if (error instanceof CouldNotLook) postMessage({ couldNotLook: error.message });
    else postMessage({ failed: String(error?.stack ?? error) });
  }
});
