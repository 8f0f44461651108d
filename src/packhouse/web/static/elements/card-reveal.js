/**
 * `<card-reveal>`: lays the cards of an opening face down and lets the collector turn them.
 *
 * The cards were drawn and paid before this page was sent; nothing here decides anything. Each
 * `.reveal-card` becomes a button; "Turn the next", "Reveal all" and "Skip" sit in `.reveal-actions`.
 * Good tiers glow before they turn. Each card is told to screen readers. Without this script, or when
 * motion is unwelcome, the cards are simply shown or fade in.
 */

const ROLL_MS = { A: 450, S: 950, SS: 1300, SSS: 1800 };
const PAUSE_MS = 170;
const FOIL = new Set(["S", "SS", "SSS"]);
const TILT_DEGREES = 9;

const still = matchMedia("(prefers-reduced-motion: reduce)");
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

class CardReveal extends HTMLElement {
  connectedCallback() {
    if (this.hasAttribute("data-ready")) return;
    this.cards = [...this.querySelectorAll(".reveal-card")];
    this.hurry = false;
    this.voice = document.createElement("p");
    this.voice.className = "visually-hidden";
    this.voice.setAttribute("aria-live", "polite");
    this.append(this.voice);
    this.cards.forEach((card, index) => this.layDown(card, index));
    const actions = this.querySelector(".reveal-actions");
    actions.hidden = false;
    for (const many of actions.querySelectorAll("[data-turn-all], [data-skip]")) {
      many.hidden = this.cards.length === 1;
    }
    const on = (name, act) => actions.querySelector(name).addEventListener("click", act);
    if (this.cards.length === 1) actions.querySelector("[data-turn-next]").textContent = "Turn the card";
    on("[data-turn-next]", () => this.turn(this.faceDown()[0]));
    on("[data-turn-all]", () => this.turnAll());
    on("[data-skip]", () => this.skip());
    this.toggleAttribute("data-ready", true);
  }

  faceDown() {
    return this.cards.filter((card) => card.dataset.face === "down");
  }

  layDown(card, index) {
    card.dataset.face = "down";
    const touch = document.createElement("button");
    touch.type = "button";
    touch.className = "reveal-touch";
    touch.setAttribute("aria-label", `Turn card ${index + 1} of ${this.cards.length}`);
    touch.addEventListener("click", () => this.turn(card));
    card.querySelector(".reveal-stage").prepend(touch);
  }

  /** Turns one card: the better it is, the longer it glows first. */
  async turn(card) {
    if (!card || card.dataset.face !== "down") return;
    const held = card.contains(document.activeElement);
    const roll = this.hurry || still.matches ? 0 : (ROLL_MS[card.dataset.tier] ?? 0);
    card.dataset.face = "rolling";
    const behavior = still.matches ? "auto" : "smooth";
    if (!this.hurry) card.scrollIntoView({ block: "nearest", behavior });
    if (roll) await wait(roll);
    card.dataset.face = "up";
    card.querySelector(".reveal-touch")?.remove();
    if (!this.hurry) this.voice.textContent = card.dataset.announce;
    if (FOIL.has(card.dataset.tier)) this.shine(card);
    if (this.cards.every((other) => other.dataset.face === "up")) this.finish(held);
    else if (held) this.faceDown()[0]?.querySelector(".reveal-touch").focus();
  }

  async turnAll() {
    for (const card of this.faceDown()) {
      await this.turn(card);
      if (!this.hurry) await wait(still.matches ? 0 : PAUSE_MS);
    }
  }

  /** Shows everything at once, for those who have seen it before. */
  async skip() {
    this.hurry = true;
    await Promise.all(this.faceDown().map((card) => this.turn(card)));
    this.voice.textContent = this.cards.map((card) => card.dataset.announce).join(". ");
  }

  finish(held) {
    const actions = this.querySelector(".reveal-actions");
    const move = held || actions.contains(document.activeElement);
    actions.hidden = true;
    this.toggleAttribute("data-done", true);
    if (move) this.querySelector(".reveal-after a, .reveal-after button")?.focus({ preventScroll: true });
    this.dispatchEvent(new Event("revealed", { bubbles: true }));
  }

  /** Lets the foil of a turned card follow the pointer, or the tilt of the phone. */
  shine(card) {
    if (still.matches) return;
    const stage = card.querySelector(".reveal-stage");
    const front = card.querySelector(".reveal-front");
    const lean = (x, y) => {
      front.style.setProperty("--tilt-x", ((x - 0.5) * 2 * TILT_DEGREES).toFixed(2));
      front.style.setProperty("--tilt-y", ((0.5 - y) * 2 * TILT_DEGREES).toFixed(2));
      front.style.setProperty("--sheen-x", (x * 100).toFixed(1));
      front.style.setProperty("--sheen-y", (y * 100).toFixed(1));
    };
    stage.addEventListener("pointermove", (event) => {
      const box = stage.getBoundingClientRect();
      lean((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });
    stage.addEventListener("pointerleave", () => lean(0.5, 0.5));
    this.leanings = [...(this.leanings ?? []), lean];
    if (this.leanings.length === 1) this.followPhone();
  }

  followPhone() {
    const within = (value) => Math.min(1, Math.max(0, value));
    this.onTilt = ({ beta, gamma }) => {
      if (beta === null || gamma === null) return;
      const x = within(0.5 + gamma / 60);
      const y = within(0.5 + (beta - 45) / 60);
      for (const lean of this.leanings) lean(x, y);
    };
    window.addEventListener("deviceorientation", this.onTilt);
  }

  disconnectedCallback() {
    if (this.onTilt) window.removeEventListener("deviceorientation", this.onTilt);
  }
}

customElements.define("card-reveal", CardReveal);
