/**
 * `<quantity-stepper>`: puts minus and plus beside a number field and keeps a total up to date.
 *
 * Holds one `<input type="number" min max>`. With `price` (minor units) and `total` (the id of an
 * element) it writes price times quantity there.
 */

import { money } from "./money.js";

class QuantityStepper extends HTMLElement {
  connectedCallback() {
    if (this.querySelector("button")) return;
    this.input = this.querySelector("input");
    this.classList.add("stepper");
    this.prepend(this.step("One fewer", "−", () => this.input.stepDown()));
    this.append(this.step("One more", "+", () => this.input.stepUp()));
    this.input.addEventListener("input", () => this.show());
    this.show();
  }

  step(label, sign, move) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => {
      move();
      this.input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    return button;
  }

  show() {
    const total = document.getElementById(this.getAttribute("total"));
    if (!total || !this.input.validity.valid || this.input.value === "") return;
    total.textContent = money(Number(this.getAttribute("price")) * Number(this.input.value));
  }
}

customElements.define("quantity-stepper", QuantityStepper);
