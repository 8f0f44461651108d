/** Runs the browser's verifier over the golden vectors of the draw log: gives what differs. */

/** `base` is the address of `static/verify/`, `vectors` the parsed file. */
export async function logVectorFailures(base, vectors) {
  const [bytes, missing, checkpoints, audits, history, log, shapes] = await Promise.all(
    ["bytes", "could-not-look", "checkpoints", "log-audit", "history", "log", "opening"].map((name) => import(`${base}${name}.js`)),
  );
  const failures = [];
  let checked = 0;
  const same = (what, found, expected) => {
    checked += 1;
    if (JSON.stringify(found) !== JSON.stringify(expected)) failures.push({ what, found, expected });
  };
  const honest = new Map(Object.entries(vectors.files).map(([path, { text, base64 }]) => [path, base64 === undefined ? bytes.utf8(text) : bytes.fromBase64(base64)]));
  const sourceOf = (files) => ({
    async read(path) {
      if (!files.has(path)) throw new missing.NotThere(path);
      return files.get(path);
    },
  });
  const audit = async (files, { key = vectors.key, earlier_checkpoints: earlier = vectors.earlier_checkpoints }) => {
    const verifierKey = await checkpoints.readVerifierKey(key);
    const older = earlier.map((text, i) => ({ name: `earlier_checkpoints[${i}]`, text }));
    const checkpoint = checkpoints.readCheckpoint(files.get("checkpoint"));
    for (const each of [checkpoint, ...older.map(({ text }) => checkpoints.readCheckpoint(bytes.utf8(text)))]) await checkpoints.requireSignature(each, verifierKey);
    return audits.auditLog({ source: sourceOf(files), checkpoint: checkpoint.text, older, now: Date.parse(vectors.judged_at) });
  };

  same("Ed25519", await checkpoints.hasEd25519(), true);
  const result = await audit(honest, {});
  const { pairs, lots, kinds } = result;
  same("mismatches of the honest log", result.found, []);
  same(
    "counts of the honest log",
    {
      leaves: Object.values(kinds).reduce((sum, count) => sum + count),
      openings: kinds["pack.opened"] + kinds["lot.opened"],
      redrawn: pairs.drawnAgain + lots.drawnAgain,
      waiting: pairs.waiting + lots.waiting,
    },
    vectors.matches,
  );

  const state = new log.Log(sourceOf(honest), checkpoints.readCheckpoint(honest.get("checkpoint")));
  for (const text of vectors.earlier_checkpoints) {
    const older = checkpoints.readCheckpoint(bytes.utf8(text));
    same(`growth since ${older.size} leaves`, await fieldOf(() => state.requireBeginning(older)), null);
  }
  for (const { position, receipt: text } of vectors.receipts) {
    const receipt = shapes.readReceipt(bytes.utf8(text));
    const { leaf } = await state.leafAt(position);
    same(`leaf ${position}`, (await history.checkLeafOfReceipt(receipt, leaf)).map((each) => each.message), []);
    const changed = { ...receipt, created_at: "2026-11-01T00:00:00Z" };
    same(`a changed receipt at leaf ${position}`, (await history.checkLeafOfReceipt(changed, leaf)).map((each) => each.field), ["the leaf’s receipt_hash"]);
  }
  for (const forged of vectors.forged) {
    const field = await fieldOf(async () => {
      const { found } = await audit(changedFiles(honest, forged.changes, bytes), forged);
      if (found.length) throw found[0];
    });
    same(forged.name, field, forged.field);
  }
  for (const [path, content] of honest) {
    if (path === "key") continue; // it is not the log that says which key is right
    for (const place of [0, Math.floor(content.length / 2), content.length - 1]) {
      const flipped = content.slice();
      flipped[place] ^= 1;
      const field = await fieldOf(async () => {
        const { found } = await audit(new Map(honest).set(path, flipped), {});
        if (found.length) throw found[0];
      });
      same(`byte ${place} of ${path} flipped is caught`, field !== null, true);
    }
  }
  return { checked, failures };
}

async function fieldOf(act) {
  try {
    await act();
    return null;
  } catch (error) {
    if (error.field === undefined) throw error;
    return error.field;
  }
}

function changedFiles(honest, changes, { fromBase64, joined }) {
  const files = new Map(honest);
  for (const [path, change] of Object.entries(changes)) {
    if (change === null) {
      files.delete(path);
      continue;
    }
    const before = honest.get(change.from);
    const parts = [];
    let at = 0;
    for (const [start, end, replacement] of change.splices) {
      parts.push(before.subarray(at, start), fromBase64(replacement));
      at = end;
    }
    files.set(path, joined(...parts, before.subarray(at)));
  }
  return files;
}
