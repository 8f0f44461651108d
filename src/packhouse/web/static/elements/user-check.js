/**
 * `<user-check>`: one collector's draws: all seed pairs committed to in time, no gap, every receipt a leaf of the log.
 *
 * Besides the fields of `check-results.js`: `history` (the file that the shop gives its collectors) or `keys` (user
 * keys, pasted). Neither leaves the browser.
 */

import { CouldNotLook } from "../verify/could-not-look.js";
import { fileBytes } from "../verify/sources.js";
import { CheckElement, counted, foundInLeaves } from "./check-results.js";

class UserCheck extends CheckElement {
  mismatch = "This history is not what the log has.";

  async check() {
    const file = this.fileOf("history");
    const keys = [...new Set(this.textOf("keys").toLowerCase().match(/\b[0-9a-f]{32}\b/g) ?? [])];
    if (!file && keys.length === 0) throw new CouldNotLook("Choose the file with your history, or paste user keys.");
    const history = file ? await fileBytes(file) : null;
    const opened = await this.openLog();
    if (opened === null) {
      this.say("The log is not what it claims to be.", "error");
      return;
    }
    const result = await this.readLog(opened, { only: history ? {} : { userKeys: keys }, history });
    const { pairs } = result;
    if (result.unknown.length) throw new CouldNotLook(`The log has nothing under ${result.unknown.join(", ")}.`);
    this.step({
      title: "Each seed was committed to before its packs, which are counted without a gap",
      lines: [
        ["Seed pairs", `${counted(pairs.count, "pair")}, ${pairs.used} in use or used`],
        ["Packs drawn again from revealed seeds", pairs.drawnAgain.toLocaleString("en-US")],
      ],
      found: foundInLeaves(result),
    });
    if (result.history) {
      const { receipts, found } = result.history;
      this.step({ title: "Every receipt is a leaf of the log, and every leaf under these keys has its receipt", lines: [["Receipts", receipts.toLocaleString("en-US")]], found: found.map((message) => ({ message })) });
    }
    if (pairs.unrevealed > 0) {
      const words = `${counted(pairs.waiting, "pack")} under ${counted(pairs.unrevealed, "seed")}, to be revealed within seven days of the first use`;
      this.step({ title: "Draws under a seed that is still secret", lines: [["Waiting", words]], isDone: false });
    }
    const wrong = result.foundCount + (result.history?.found.length ?? 0);
    if (wrong > 0) this.say(`${counted(wrong, "thing")} about these draws must not be.`, "error");
    else this.say(pairs.unrevealed > 0 ? "Everything that can be checked today matches." : "Everything matches.", "success");
  }
}

customElements.define("user-check", UserCheck);
