/**
 * What all checks of `/verify` share: a form, the steps that were taken, a verdict, and the reading of the log.
 *
 * Wraps a form, which may have the fields `key` (the log's, from elsewhere), `older` (a checkpoint seen before) and
 * `folder` (a mirror), a list `[data-steps]`, a sentence `[data-verdict]`, and `[data-progress]` for what takes long.
 */

import { CouldNotLook } from "../verify/could-not-look.js";
import { Differs } from "../verify/differs.js";
import { openLog } from "../verify/log.js";
import { forget, recall, remember } from "../verify/memory.js";
import { sourceOf } from "../verify/sources.js";

/** Logs up to this many leaves are read without asking first. */
const LEAVES_UNASKED_MAX = 20_000;

/** The base of the check elements: a subclass has `async check()`, which takes steps and ends with `say`. */
export class CheckElement extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.steps = this.querySelector("[data-steps]");
    this.verdict = this.querySelector("[data-verdict]");
    this.progress = this.querySelector("[data-progress]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
    document.querySelector(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const asked = new URLSearchParams(location.search);
    const [name] = [...asked.keys()].filter((each) => each !== "check" && this.form.elements[each]);
    if (name === undefined) return;
    this.form.elements[name].value = asked.get(name);
    this.run();
  }

  disconnectedCallback() {
    this.worker?.terminate();
  }

  async run() {
    this.worker?.terminate();
    this.progress?.replaceChildren();
    this.steps.replaceChildren();
    this.isSigned = true;
    this.say("Checking …", "info");
    try {
      if (!globalThis.crypto?.subtle) throw new CouldNotLook("Browsers compute hashes only on pages served over HTTPS. Use `packhouse verify` on the command line instead.");
      await this.check();
    } catch (error) {
      if (error instanceof Differs) {
        this.step({ title: "This is where it ends", found: [error] });
        this.say(this.mismatch ?? "Something is not as it has to be.", "error");
      } else if (error instanceof CouldNotLook) this.say(error.message, "warning");
      else {
        this.say(`This page failed: ${error.message}`, "warning");
        throw error;
      }
    }
  }

  /** The trimmed text of a field; empty when there is no such field. */
  textOf(name) {
    return this.form.elements[name]?.value.trim() ?? "";
  }

  /** The file chosen in a field, or null. */
  fileOf(name) {
    return this.form.elements[name]?.files[0] ?? null;
  }

  /** Where the log is: the folder that was chosen, or the shop. */
  get where() {
    const files = [...(this.form.elements.folder?.files ?? [])];
    return files.length ? { kind: "folder", files } : { kind: "shop" };
  }

  /** The latest state of the log, its steps shown; null when something is wrong with it. */
  async openLog() {
    const where = this.where;
    const isShop = where.kind === "shop";
    const memory = isShop ? recall() : null;
    const opened = await openLog({ source: sourceOf(where), keyText: this.textOf("key"), olderText: this.textOf("older"), memory, isShop });
    for (const step of opened.steps) this.step(step);
    this.isSigned = opened.isSigned;
    if (opened.log === null) {
      if (memory) this.steps.lastElementChild.append(this.forgetButton());
      return null;
    }
    if (isShop) remember({ key: opened.key, checkpoint: opened.log.checkpoint });
    return { ...opened, where };
  }

  forgetButton() {
    const button = made("button", "Forget what this browser remembers of the log", "button");
    button.type = "button";
    button.addEventListener("click", () => {
      forget();
      button.replaceWith(made("p", "Forgotten. The next check trusts what it gets, as on a first visit.", "small"));
    });
    return button;
  }

  /** Reads a whole opened log in a worker, asking first when it is large. Gives the audit's result. */
  async readLog(opened, { only = {}, history = null } = {}) {
    const { size } = opened.log.checkpoint;
    const bytes = await opened.log.tiles.estimateBytes();
    const amount = `${size.toLocaleString("en-US")} leaves, about ${sizeInWords(bytes)}`;
    if (size > LEAVES_UNASKED_MAX) await this.askFor(`Read all of it: ${amount}`);
    this.say(`Reading the log: ${amount}.`, "info");
    const answer = await this.work({
      source: opened.where,
      checkpoint: opened.log.checkpoint.text,
      older: opened.older,
      only,
      history,
      now: opened.where.kind === "shop" ? Date.now() : null,
    });
    this.progress.replaceChildren();
    if (answer.differs) throw new Differs(answer.differs.field, answer.differs.expected, answer.differs.found);
    if (answer.failed) throw new Error(answer.failed);
    if (answer.couldNotLook) throw new CouldNotLook(answer.couldNotLook);
    const { result } = answer;
    this.step({
      title: "Every leaf and every tile was read, and the tree over them has the signed root",
      lines: [["Leaves", size.toLocaleString("en-US")], ["The latest is from", result.lastAt ?? "never"]],
      found: result.found.filter((each) => each.position === Infinity),
    });
    return result;
  }

  askFor(words) {
    this.say("This log is large. Its latest state is checked; reading every leaf takes a while.", "info");
    const button = made("button", words, "button button-primary");
    button.type = "button";
    this.progress.replaceChildren(button);
    return new Promise((resolve) => {
      button.addEventListener("click", () => resolve(this.progress.replaceChildren()), { once: true });
    });
  }

  work(message) {
    const bar = document.createElement("progress");
    const words = made("p", "", "small soft number");
    const stop = made("button", "Stop", "button");
    bar.setAttribute("aria-label", "Leaves read");
    stop.type = "button";
    this.progress.replaceChildren(bar, words, stop);
    const worker = new Worker(new URL("../verify/log-worker.js", import.meta.url), { type: "module" });
    this.worker = worker;
    return new Promise((resolve, reject) => {
      const end = (act, value) => {
        worker.terminate();
        act(value);
      };
      stop.addEventListener("click", () => end(resolve, { couldNotLook: "Stopped. What was read until then is not enough to tell." }));
      worker.addEventListener("error", (event) => end(reject, new Error(event.message || "the reader of the log did not start")));
      worker.addEventListener("message", ({ data }) => {
        if (!data.progress) return end(resolve, data);
        const { done, of } = data.progress;
        [bar.value, bar.max] = [done, of];
        words.textContent = `${done.toLocaleString("en-US")} of ${of.toLocaleString("en-US")} leaves`;
      });
      worker.postMessage(message);
    });
  }

  /** Adds a step: lines are [name, value]; it is good when nothing was found and `isDone`. */
  step({ title, lines = [], found = [], isDone = true }) {
    const item = document.createElement("li");
    const state = found.length ? "bad" : isDone ? "good" : "open";
    item.className = `step step-${state} stack-s`;
    const sign = { bad: "Does not match", good: "Matches", open: "Not checked" }[state];
    item.append(made("p", `${sign}: ${title}`, "strong"), ...found.map((each) => made("p", each.message, "field-error")));
    const list = document.createElement("dl");
    for (const [name, value] of lines) {
      const pair = document.createElement("div");
      const words = document.createElement("dd");
      words.append(String(value).includes(" ") ? value : made("code", value));
      pair.append(made("dt", name), words);
      list.append(pair);
    }
    if (lines.length) item.append(list);
    this.steps.append(item);
  }

  say(words, kind) {
    const isShort = kind === "success" && !this.isSigned;
    this.verdict.className = `notice notice-${isShort ? "warning" : kind}`;
    this.verdict.textContent = isShort ? `${words} Only the log’s signature could not be checked in this browser.` : words;
  }
}

/** An element with a text and a class. */
export function made(tag, words, style = "") {
  const element = document.createElement(tag);
  element.className = style;
  element.textContent = words;
  return element;
}

/** What an audit found wrong with leaves, as a step shows it, and how many more there are. */
export function foundInLeaves({ found, foundCount }) {
  const shown = found.filter((each) => each.position !== Infinity);
  const more = foundCount - found.length;
  return more > 0 ? [...shown, { message: `and ${more.toLocaleString("en-US")} more` }] : shown;
}

/** How many of something, in words. */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function sizeInWords(bytes) {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1_000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
