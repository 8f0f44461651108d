/**
 * `<pack-opening>`: wraps the form that buys a pack; brings chance of the collector's own and tears the foil.
 *
 * Fills `client_seed` with 32 fresh random bytes that the server cannot know before, and `idempotency_key`
 * so that a repeated answer is paid once; a seed that the collector typed stays. Sends the form once only. Without this script the form still
 * works: the server then uses the collector's stored seed and its own key.
 */

const TEAR_MS = 760;
const SEED_BYTES = 32;
const KEY_BYTES = 16;

/** So many random bytes in hexadecimal, from the browser's own source. */
function randomHex(bytes) {
  const drawn = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(drawn, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class PackOpening extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    if (!this.form) return;
    this.form.addEventListener("submit", (event) => this.send(event));
    this.querySelector("[data-new-seed]")?.addEventListener("click", () => this.drawSeed());
    this.onShow = (event) => event.persisted && this.prepare();
    window.addEventListener("pageshow", this.onShow);
    this.prepare({ keep: true });
  }

  disconnectedCallback() {
    window.removeEventListener("pageshow", this.onShow);
  }

  /** Makes ready for one opening: a fresh seed, a fresh key, a button that can be pressed. */
  prepare({ keep = false } = {}) {
    this.sent = false;
    this.removeAttribute("data-tearing");
    this.form.querySelector("[type=submit]")?.removeAttribute("aria-disabled");
    const key = this.form.elements.namedItem("idempotency_key");
    // randomUUID exists on secure pages only; a shop tried out on a local network has none.
    if (key) key.value = crypto.randomUUID?.() ?? randomHex(KEY_BYTES);
    if (!keep || !this.form.elements.namedItem("client_seed")?.value) this.drawSeed();
    this.querySelector("[data-new-seed]")?.removeAttribute("hidden");
  }

  drawSeed() {
    const seed = this.form.elements.namedItem("client_seed");
    if (seed) seed.value = randomHex(SEED_BYTES);
  }

  send(event) {
    if (this.sent) {
      event.preventDefault();
      return;
    }
    this.sent = true;
    const button = this.form.querySelector("[type=submit]");
    button?.setAttribute("aria-disabled", "true");
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    event.preventDefault();
    this.toggleAttribute("data-tearing", true);
    this.querySelector(".pack-face")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    setTimeout(() => this.form.submit(), TEAR_MS);
  }
}

customElements.define("pack-opening", PackOpening);
