/** Runs the browser's verifier over the golden vectors: gives what differs, an empty list when nothing does. */

/** `base` is the address of `static/verify/`, `vectors` the parsed file. */
export async function vectorFailures(base, vectors) {
  const [bytes, drawing, merkle, json, opening, published] = await Promise.all(
    ["bytes", "drawing", "merkle", "plain-json", "opening", "configs"].map((name) => import(`${base}${name}.js`)),
  );
  const { fromHex, toHex, utf8, sha256, hmacKey } = bytes;
  const failures = [];
  let checked = 0;
  const same = (what, found, expected) => {
    checked += 1;
    if (JSON.stringify(found) !== JSON.stringify(expected)) failures.push({ what, found, expected });
  };

  for (const each of vectors.commitments) same("commitment", toHex(await sha256(fromHex(each.server_seed))), each.commitment);
  for (const each of vectors.client_seeds) same("client seed", toHex(await sha256(utf8(each.client_seed))), each.client_seed_hash);
  for (const each of vectors.messages.odds) {
    const message = drawing.oddsMessage({
      configHash: fromHex(each.config_hash),
      userKey: fromHex(each.user_key),
      nonce: BigInt(each.nonce),
      drawIndex: each.draw_index,
      clientSeedHash: await sha256(utf8(each.client_seed)),
    });
    same("odds message", toHex(message), each.message);
  }
  for (const each of vectors.messages.lot) {
    const message = drawing.lotMessage({
      manifestRoot: fromHex(each.manifest_root),
      draw: BigInt(each.draw),
      userKey: fromHex(each.user_key),
      clientSeedHash: await sha256(utf8(each.client_seed)),
    });
    same("lot message", toHex(message), each.message);
  }
  for (const each of vectors.tickets) {
    const ticket = await drawing.ticketBelow(BigInt(each.n), await hmacKey(fromHex(each.seed)), fromHex(each.message));
    same(`ticket, ${each.name}, below ${each.n}`, String(ticket), each.ticket);
  }
  const configs = {};
  for (const [name, { canonical, config_hash: configHash }] of Object.entries(vectors.configs)) {
    configs[name] = await published.readConfig(utf8(canonical), configHash);
    same(`configuration ${name}`, json.canonicalText(configs[name]), canonical);
  }
  for (const each of vectors.openings) {
    const numbers = await drawing.numbersOfPack({
      serverSeed: each.server_seed,
      configHash: vectors.configs[each.config].config_hash,
      userKey: each.user_key,
      nonce: each.nonce,
      clientSeedHash: await drawing.hashOfClientSeed(each.client_seed),
    });
    const drawn = await drawing.drawPack(configs[each.config], numbers);
    const { outcome } = each;
    same(`opening of ${each.config}`, [drawn.layout, drawn.layoutTicket, drawn.cards.length], [outcome.layout, outcome.layout_ticket, outcome.cards.length]);
    outcome.cards.forEach((card, i) => {
      const again = drawn.cards[i];
      same(
        `card ${i} of ${each.config}`,
        [again.slot, again.tier, again.card, again.value, again.physical, again.tierTicket, again.cardTicket],
        [card.slot, card.tier, card.card, card.value, card.physical, card.tier_ticket, card.card_ticket],
      );
    });
  }
  for (const each of vectors.merkle_trees) same("Merkle root", toHex(await merkle.merkleRoot(each.leaves.map(fromHex))), each.root);
  for (const each of vectors.lots) {
    const leaves = each.manifest.map((item) => json.canonicalText(item));
    same("manifest leaves", leaves, each.leaves);
    same("manifest root", toHex(await merkle.merkleRoot(leaves.map(utf8))), each.manifest_root);
    const entries = await Promise.all(each.entries.map(async (entry) => ({ userKey: entry.user_key, clientSeedHash: await drawing.hashOfClientSeed(entry.client_seed) })));
    const taken = await drawing.replayLot({ lotSeed: each.lot_seed, manifestRoot: each.manifest_root, size: each.draws.length, entries });
    same("lot", taken, each.draws.map((draw) => draw.position));
  }
  for (const each of vectors.receipts) {
    const { verdict, field } = await verdictOn(opening, each.receipt, configs[each.config], vectors.configs[each.config].config_hash, utf8);
    same(`verdict on ${each.name}`, verdict, each.verdict);
    if (each.field !== null) same(`field of ${each.name}`, field, each.field);
  }
  return { checked, failures };
}

async function verdictOn(opening, text, config, configHash, utf8) {
  let receipt;
  try {
    receipt = opening.readReceipt(utf8(text));
  } catch (error) {
    return { verdict: "differs", field: error.field };
  }
  const found = [
    ...(await opening.checkCommitment(receipt)),
    ...opening.checkTerms(receipt, config, configHash),
    ...(await opening.checkDraws(receipt, config)),
  ];
  if (found.length) return { verdict: "differs", field: found[0].field };
  return { verdict: receipt.server_seed === null ? "unrevealed" : "matches" };
}
