/**
 * `<log-check>`: reads the whole log and holds every leaf against every other.
 *
 * Its fields are those of `check-results.js`.
 */

import { CheckElement, counted, foundInLeaves } from "./check-results.js";

class LogCheck extends CheckElement {
  mismatch = "The log is not what it claims to be.";

  async check() {
    const opened = await this.openLog();
    if (opened === null) {
      this.say(this.mismatch, "error");
      return;
    }
    const result = await this.readLog(opened);
    const { pairs, lots, kinds } = result;
    this.step({
      title: "Commitments first, no gaps, draws that follow from their seeds, copies that add up",
      lines: [
        ...Object.entries(kinds).filter(([, count]) => count > 0).map(([kind, count]) => [kind, count.toLocaleString("en-US")]),
        ["Packs drawn again from revealed seeds", (pairs.drawnAgain + lots.drawnAgain).toLocaleString("en-US")],
        ["Cards paid out for want of a copy", result.paidOut.toLocaleString("en-US")],
      ],
      found: foundInLeaves(result),
    });
    const running = lots.all.filter((lot) => !lot.isClosed).length;
    if (pairs.unrevealed > 0 || running > 0) {
      this.step({
        title: "Draws under seeds that are still secret",
        lines: [
          ["Seed pairs in use", `${counted(pairs.unrevealed, "pair")} with ${counted(pairs.waiting, "pack")}; each is revealed within seven days of its first use`],
          ["Lots that run", `${counted(running, "lot")}; each is revealed when it ends`],
        ],
        isDone: false,
      });
    }
    if (result.foundCount > 0) this.say(`${counted(result.foundCount, "thing")} in this log must not be.`, "error");
    else this.say(pairs.unrevealed > 0 || running > 0 ? "Everything that can be checked today matches." : "Everything matches.", "success");
  }
}

customElements.define("log-check", LogCheck);
