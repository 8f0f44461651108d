/**
 * `<vault-selection>`: counts the chosen cards of the vault and totals what selling them back pays.
 *
 * Wraps a form with checkboxes `user_card_ids` that carry `data-sell-back` (minor units; absent when the
 * window is over) and `data-shippable`. Buttons `[data-sell]` and `[data-ship]` send the form to their own
 * `formaction`, and a field `total` the sum that was shown; each button is enabled only when every chosen card allows it. The server checks all of it again.
 */

import { money } from "./money.js";

class VaultSelection extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    if (!this.form) return;
    this.form.addEventListener("change", () => this.show());
    this.form.addEventListener("submit", (event) => this.send(event));
    const all = this.querySelector("[data-select-all]");
    all?.addEventListener("click", () => this.selectAll());
    if (all) all.hidden = false;
    this.onShow = () => this.show();
    window.addEventListener("pageshow", this.onShow);
    this.show();
  }

  disconnectedCallback() {
    window.removeEventListener("pageshow", this.onShow);
  }

  boxes() {
    return [...this.form.querySelectorAll("input[name=user_card_ids]")];
  }

  show() {
    this.sent = false;
    const chosen = this.boxes().filter((box) => box.checked);
    const count = this.querySelector("[data-count]");
    const total = this.querySelector("[data-total]");
    const sellable = chosen.filter((box) => box.dataset.sellBack !== undefined);
    const worth = sellable.reduce((sum, box) => sum + Number(box.dataset.sellBack), 0);
    const agreed = this.form.elements.namedItem("total");
    if (agreed) agreed.value = worth;
    count.textContent = chosen.length === 1 ? "1 card chosen" : `${chosen.length} cards chosen`;
    total.textContent = chosen.length ? `Sell-back ${money(worth)}` : "Choose cards to sell or ship";
    this.allow("[data-sell]", chosen.length > 0 && sellable.length === chosen.length);
    this.allow("[data-ship]", chosen.length > 0 && chosen.every((box) => "shippable" in box.dataset));
  }

  allow(selector, allowed) {
    const button = this.querySelector(selector);
    if (button) button.disabled = !allowed;
  }

  selectAll() {
    const boxes = this.boxes();
    const every = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !every;
    this.show();
  }

  send(event) {
    if (this.sent) event.preventDefault();
    this.sent = true;
  }
}

customElements.define("vault-selection", VaultSelection);
