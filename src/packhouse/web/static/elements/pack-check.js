/**
 * `<pack-check>`: a pack's published configuration: its hash, its exact odds, and its publication in the log.
 *
 * Besides the fields of `check-results.js`: `pack` (its name in links, or a configuration's hash) and `config` (a file).
 */

import { fromUtf8, sha256, toHex } from "../verify/bytes.js";
import { chancesOf } from "../verify/chances.js";
import { readConfig } from "../verify/configs.js";
import { CouldNotLook } from "../verify/could-not-look.js";
import { fileBytes, publicBytes, sourceOf } from "../verify/sources.js";
import { CheckElement, foundInLeaves } from "./check-results.js";

class PackCheck extends CheckElement {
  mismatch = "This configuration is not what was published.";

  async check() {
    const [bytes, hash] = await this.configBytes();
    const config = await readConfig(bytes, hash);
    const { tiers, cards } = chancesOf(config);
    this.step({
      title: "The configuration has its hash, and is written as it has to be",
      lines: [["SHA-256", hash], ["Pack", `${config.name}, version ${config.number}`], ["Price in minor units", config.price.toLocaleString("en-US")], ["Sell-back", `${config.sell_back.rate_basis_points / 100} % for ${config.sell_back.window_seconds / 86_400} days`]],
    });
    const about = (chance) => `${chance} (about ${chance.toNumber().toPrecision(4)})`;
    this.step({
      title: config.kind === "lot" ? "What a pack of the full box has on average, exactly" : "What a pack has on average, exactly",
      lines: [...[...tiers].map(([tier, chance]) => [`Tier ${tier}`, about(chance)]), ...[...cards].map(([card, chance]) => [`Card ${card}`, about(chance)])],
    });
    await this.findPublication(hash);
  }

  async findPublication(hash) {
    const opened = await this.openLog();
    if (opened === null) {
      this.say("The log is not what it claims to be.", "error");
      return;
    }
    const { publications, found, foundCount } = await this.readLog(opened, { only: { configHash: hash } });
    if (foundCount > 0) {
      this.step({ title: "The leaves of the log", found: foundInLeaves({ found, foundCount }) });
      this.say("The log is not what it claims to be.", "error");
      return;
    }
    const own = publications.find((each) => each.config_hash === hash);
    if (own === undefined) {
      this.step({ title: "That this configuration is in the public log", isDone: false });
      this.say("The configuration is sound, but the log has no publication of it.", "warning");
      return;
    }
    this.step({ title: `Leaf ${own.position.toLocaleString("en-US")} of the log published it`, lines: [["Published", own.at]] });
    this.say("Everything matches.", "success");
  }

  /** The configuration's bytes and the hash they have to have. */
  async configBytes() {
    const file = this.fileOf("config");
    if (file) {
      const bytes = await fileBytes(file);
      return [bytes, toHex(await sha256(bytes))];
    }
    const asked = this.textOf("pack").toLowerCase();
    const slug = asked.match(/([a-z0-9-]+)\/?$/)?.[1];
    if (!slug) throw new CouldNotLook("Name a pack, or choose a configuration’s file.");
    const hash = asked.match(/[0-9a-f]{64}/)?.[0] ?? (await onSale(slug));
    return [await sourceOf(this.where).read(`configs/${hash}.json`), hash];
  }
}

async function onSale(slug) {
  const { config_hash: hash } = JSON.parse(fromUtf8(await publicBytes(`/api/v1/packs/${slug}`)));
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new CouldNotLook("The shop’s answer names no configuration.");
  return hash;
}

customElements.define("pack-check", PackCheck);
