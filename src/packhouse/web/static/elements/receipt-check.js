/**
 * `<receipt-check>`: draws an opened pack again inside the visitor's own browser, and looks it up in the log.
 *
 * Besides the fields of `check-results.js`: `opening` (an id, or a link that ends with one), `receipt` (a file), `text`
 * (a pasted receipt), `config` (a file, instead of the published one) and `commitment` (one seen before). With
 * `?opening=ID` in the page's address it begins by itself. The shop is asked for public files, without any cookie.
 */

import { utf8 } from "../verify/bytes.js";
import { readConfig } from "../verify/configs.js";
import { CouldNotLook } from "../verify/could-not-look.js";
import { Differs } from "../verify/differs.js";
import { checkLeafOfReceipt } from "../verify/history.js";
import { checkCommitment, checkDraws, checkTerms, readReceipt } from "../verify/opening.js";
import { fileBytes, publicBytes } from "../verify/sources.js";
import { CheckElement } from "./check-results.js";

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

class ReceiptCheck extends CheckElement {
  mismatch = "This receipt does not match what was published.";

  async check() {
    const receipt = readReceipt(await this.receiptBytes());
    const { proof } = receipt;
    this.step({ title: "The receipt has all its fields and no others", lines: [["Opening", receipt.id], ["Pack", `${receipt.pack.name}, version ${receipt.pack.version}`]] });
    const found = [...this.complaintsOfVisitor(receipt), ...(await checkCommitment(receipt))];
    this.step({
      title: "The server seed is the one committed to",
      lines: [["Commitment", proof.commitment], ["Server seed", receipt.server_seed ?? "not revealed yet"]],
      found,
      isDone: receipt.server_seed !== null,
    });

    const bytes = await this.configBytes(receipt);
    const config = await readConfig(bytes, proof.config_hash);
    this.step({ title: "The published configuration has the hash that the receipt names", lines: [["SHA-256", proof.config_hash], ["Bytes", bytes.length.toLocaleString("en-US")]] });
    const terms = checkTerms(receipt, config, proof.config_hash);
    this.step({ title: "Price, name and version are the published ones", lines: [["Price in minor units", receipt.price]], found: terms });
    const draws = await checkDraws(receipt, config);
    const seeds = [["Client seed", proof.client_seed], ["Public key of the collector", proof.user_key], ...(proof.nonce === null ? [] : [["Nonce", proof.nonce]])];
    const title = receipt.server_seed === null ? "The stated numbers select these cards" : "Every number, drawn again, is the same and selects the same card";
    this.step({ title, lines: [...seeds, ...drawnLines(receipt)], found: draws });
    const inLog = await this.lookUp(receipt);
    this.conclude(receipt, [...found, ...terms, ...draws, ...inLog.found], inLog.trouble);
  }

  complaintsOfVisitor(receipt) {
    const found = [];
    const asked = this.askedId();
    if (asked && asked !== receipt.id) found.push(new Differs("id", asked, receipt.id));
    const known = this.textOf("commitment").toLowerCase();
    if (known && known !== receipt.proof.commitment) found.push(new Differs("proof.commitment", known, receipt.proof.commitment));
    return found;
  }

  /** The opening's leaf, proven and compared: what was found wrong, and why it could not be looked up. */
  async lookUp(receipt) {
    try {
      const opened = await this.openLog();
      if (opened === null) return { found: [new Differs("the log", "a signed state that goes on from what was seen before", "another one")] };
      const position = await opened.log.positionOf(receipt.id);
      if (position >= opened.log.checkpoint.size) throw new CouldNotLook("The leaf of this opening is younger than the log’s latest signed state. Try again in ten seconds.");
      const { leaf, path } = await opened.log.leafAt(position);
      const found = await checkLeafOfReceipt(receipt, leaf);
      this.step({
        title: `Leaf ${position.toLocaleString("en-US")} of the log is this very receipt`,
        lines: [["Published", leaf.at], ["SHA-256 of the receipt", leaf.receipt_hash], ["Hashes from the leaf to the signed root", path.length]],
        found,
      });
      return { found };
    } catch (error) {
      if (!(error instanceof CouldNotLook)) throw error;
      this.step({ title: "That the receipt is in the public log", lines: [["Why not", error.message]], isDone: false });
      return { found: [], trouble: error.message };
    }
  }

  conclude(receipt, found, trouble) {
    if (found.length) this.say(this.mismatch, "error");
    else if (receipt.server_seed === null && receipt.kind === "lot") this.say("So far all is well. The rest can be checked when the lot has ended and its seed is revealed.", "warning");
    else if (receipt.server_seed === null) this.say("So far all is well. The rest can be checked when the server seed is revealed: when its collector rotates it, within seven days of its first use.", "warning");
    else if (trouble) this.say("All on the receipt matches. Whether it is in the public log could not be looked up.", "warning");
    else this.say("Everything matches.", "success");
  }

  /** The id that was typed or is at the end of the link that was typed; null without one. */
  askedId() {
    return this.textOf("opening").match(ID)?.[0].toLowerCase() ?? null;
  }

  async receiptBytes() {
    const file = this.fileOf("receipt");
    if (file) return fileBytes(file);
    if (this.textOf("text")) return utf8(this.form.elements.text.value);
    const id = this.askedId();
    if (id === null) throw new CouldNotLook("Name an opening, choose a receipt’s file, or paste one.");
    return publicBytes(`/api/v1/openings/${id}`);
  }

  async configBytes({ pack, proof }) {
    const file = this.fileOf("config");
    return file ? fileBytes(file) : publicBytes(`/api/v1/packs/${pack.slug}/versions/${proof.config_hash}`);
  }
}

function drawnLines(receipt) {
  const ticket = ({ number, of }) => `${number.toLocaleString("en-US")} of ${of.toLocaleString("en-US")}`;
  const layout = receipt.proof.layout_ticket;
  const lines = layout === null ? [] : [["Layout", `${ticket(layout)} selects ${receipt.proof.layout}`]];
  for (const card of receipt.cards) {
    const numbers = [card.tier_ticket, card.card_ticket, card.ticket].filter(Boolean).map(ticket).join(", then ");
    lines.push([card.card.name, `${numbers || "the last-one prize"}: tier ${card.tier}, value ${card.value}`]);
  }
  return lines;
}

customElements.define("receipt-check", ReceiptCheck);
