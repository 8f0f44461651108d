/**
 * `<lot-check>`: replays finite lots: every prize on the list existed, and left exactly once.
 *
 * Besides the fields of `check-results.js`: `lot`, the root of a manifest or a pack's name in links.
 */

import { CouldNotLook } from "../verify/could-not-look.js";
import { CheckElement, counted, foundInLeaves } from "./check-results.js";

class LotCheck extends CheckElement {
  mismatch = "This lot is not what it claims to be.";

  async check() {
    const asked = this.textOf("lot").toLowerCase();
    const root = asked.match(/[0-9a-f]{64}/)?.[0];
    const slug = asked.match(/([a-z0-9-]+)\/?$/)?.[1];
    if (!root && !slug) throw new CouldNotLook("Name a lot: a link to its pack, or the root of its list of prizes.");
    const opened = await this.openLog();
    if (opened === null) {
      this.say("The log is not what it claims to be.", "error");
      return;
    }
    const result = await this.readLog(opened, { only: root ? { manifestRoot: root } : { slug } });
    const { all } = result.lots;
    if (all.length === 0) throw new CouldNotLook("The log has no such lot.");
    for (const lot of all) this.stepOf(lot);
    this.step({ title: "Every draw took the prize that its number names, and none was left out", lines: [["Packs drawn again from the seed", result.lots.drawnAgain]], found: foundInLeaves(result) });
    this.conclude(result);
  }

  stepOf(lot) {
    const left = Object.entries(lot.left ?? {}).map(([tier, count]) => `${count} of tier ${tier}`).join(", ");
    this.step({
      title: lot.isClosed ? "The lot has ended, and its seed is the one committed to" : "The seed of this lot, which still runs, so that only the stated numbers were followed",
      lines: [
        ["Root of the list of prizes", lot.manifestRoot],
        ["Drawn", `${lot.draws.toLocaleString("en-US")} of ${lot.size.toLocaleString("en-US")}`],
        ["Left in the box", left || (lot.left ? "nothing" : "unknown")],
      ],
      isDone: lot.isClosed,
    });
  }

  conclude({ foundCount, lots }) {
    const running = lots.all.filter((lot) => !lot.isClosed).length;
    if (foundCount > 0) this.say(`${counted(foundCount, "thing")} about this lot must not be.`, "error");
    else if (running > 0) this.say("So far all is well. The numbers themselves can be drawn again when the lot has ended.", "warning");
    else this.say("Everything matches.", "success");
  }
}

customElements.define("lot-check", LotCheck);
