/**
 * `<receipt-check>`: draws an opened pack again inside the visitor's own browser.
 *
 * Wraps a form with the fields `opening` (an id, or a link that ends with one), `receipt` (a file), `text`
 * (a pasted receipt), `config` (a file, instead of the published one) and `commitment` (one seen before), a
 * list `[data-steps]` that is filled step by step, and `[data-verdict]`. With `?opening=ID` in the page's
 * address it begins by itself. The shop is asked for two public files, without any cookie.
 */

import { Differs } from "../verify/differs.js";
import { utf8 } from "../verify/bytes.js";
import { checkCommitment, checkDraws, checkTerms, readConfig, readReceipt } from "../verify/opening.js";

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** Something needed is not there; that says nothing about what was drawn. */
class CouldNotLook extends Error {}

class ReceiptCheck extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.steps = this.querySelector("[data-steps]");
    this.verdict = this.querySelector("[data-verdict]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.check();
    });
    const asked = new URLSearchParams(location.search).get("opening");
    if (asked) {
      this.form.elements.opening.value = asked;
      this.check();
    }
  }

  async check() {
    this.steps.replaceChildren();
    this.say("Checking …", "info");
    try {
      if (!globalThis.crypto?.subtle) throw new CouldNotLook("Browsers compute hashes only on pages served over HTTPS. Use `packhouse verify opening` instead.");
      await this.checkStepByStep();
    } catch (error) {
      if (error instanceof Differs) {
        this.step("This is where it ends", [], [error]);
        this.say("This receipt does not match what was published.", "error");
      } else if (error instanceof CouldNotLook) this.say(error.message, "warning");
      else throw error;
    }
  }

  async checkStepByStep() {
    const receipt = readReceipt(await this.receiptBytes());
    const { proof } = receipt;
    this.step("The receipt has all its fields and no others", [["Opening", receipt.id], ["Pack", `${receipt.pack.name}, version ${receipt.pack.version}`]]);
    const asked = this.askedId();
    const found = asked && asked !== receipt.id ? [new Differs("id", asked, receipt.id)] : [];
    const known = this.form.elements.commitment.value.trim().toLowerCase();
    if (known && known !== proof.commitment) found.push(new Differs("proof.commitment", known, proof.commitment));
    found.push(...(await checkCommitment(receipt)));
    const seed = receipt.server_seed ?? "not revealed yet";
    this.step("The server seed is the one committed to", [["Commitment", proof.commitment], ["Server seed", seed]], found, receipt.server_seed !== null || found.length > 0);

    const bytes = await this.configBytes(receipt);
    const config = await readConfig(bytes, proof.config_hash);
    this.step("The published configuration has the hash that the receipt names", [["SHA-256", proof.config_hash], ["Bytes", bytes.length.toLocaleString()]]);
    const terms = checkTerms(receipt, config, proof.config_hash);
    this.step("Price, name and version are the published ones", [["Price in minor units", receipt.price]], terms);
    const draws = await checkDraws(receipt, config);
    const seeds = [["Client seed", proof.client_seed], ["Public key of the collector", proof.user_key], ...(proof.nonce === null ? [] : [["Nonce", proof.nonce]])];
    const title = receipt.server_seed === null ? "The stated numbers select these cards" : "Every number, drawn again, is the same and selects the same card";
    this.step(title, [...seeds, ...drawnLines(receipt)], draws);
    this.conclude(receipt, [...found, ...terms, ...draws]);
  }

  conclude(receipt, found) {
    if (found.length) this.say("This receipt does not match what was published.", "error");
    else if (receipt.server_seed !== null) this.say("Everything matches.", "success");
    else if (receipt.kind === "lot") this.say("So far all is well. The rest can be checked when the lot has ended and its seed is revealed.", "warning");
    else this.say("So far all is well. The rest can be checked when the server seed is revealed: when its collector rotates it, within seven days of its first use.", "warning");
  }

  /** The id that was typed or is at the end of the link that was typed; null without one. */
  askedId() {
    return this.form.elements.opening.value.match(ID)?.[0].toLowerCase() ?? null;
  }

  async receiptBytes() {
    const { receipt, text } = this.form.elements;
    if (receipt.files.length) return fileBytes(receipt.files[0]);
    if (text.value.trim()) return utf8(text.value);
    const id = this.askedId();
    if (id === null) throw new CouldNotLook("Name an opening, choose a receipt's file, or paste one.");
    return publicBytes(`/api/v1/openings/${id}`);
  }

  async configBytes({ pack, proof }) {
    const { config } = this.form.elements;
    return config.files.length ? fileBytes(config.files[0]) : publicBytes(`/api/v1/packs/${pack.slug}/versions/${proof.config_hash}`);
  }

  /** Adds a line to the steps: lines are [name, value]; it is good when nothing was found and `isDone`. */
  step(title, lines, found = [], isDone = true) {
    const item = document.createElement("li");
    item.className = "stack-s";
    const sign = found.length ? "Does not match" : isDone ? "Matches" : "Cannot be checked yet";
    item.append(paragraph(`${sign}: ${title}`, "strong"), ...found.map((each) => paragraph(each.message, "field-error")));
    const list = document.createElement("dl");
    for (const [name, value] of lines) {
      const pair = document.createElement("div");
      const code = document.createElement("code");
      const [term, words] = [document.createElement("dt"), document.createElement("dd")];
      code.textContent = value;
      term.textContent = name;
      words.append(code);
      pair.append(term, words);
      list.append(pair);
    }
    item.append(list);
    this.steps.append(item);
  }

  say(words, kind) {
    this.verdict.hidden = false;
    this.verdict.className = `notice notice-${kind}`;
    this.verdict.textContent = words;
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

function paragraph(words, style) {
  const made = document.createElement("p");
  made.className = style;
  made.textContent = words;
  return made;
}

async function fileBytes(file) {
  return new Uint8Array(await file.arrayBuffer());
}

async function publicBytes(path) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "omit", headers: { Accept: "application/json" } });
  } catch {
    throw new CouldNotLook(`${path} could not be fetched.`);
  }
  if (!answer.ok) throw new CouldNotLook(`${path} answered ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}

customElements.define("receipt-check", ReceiptCheck);
