/**
 * `<copy-text>`: adds a button that copies the text of the `<code>` inside it.
 *
 * The `icon` attribute names the picture of the button (an address with a fragment in the icon sheet).
 */

const THANKS_MS = 2_000;
const SVG = "http://www.w3.org/2000/svg";

class CopyText extends HTMLElement {
  connectedCallback() {
    if (!navigator.clipboard || this.querySelector("button")) return;
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.className = "copy-button";
    this.button.append(this.picture());
    this.label("Copy");
    this.button.addEventListener("click", () => this.copy());
    this.status = document.createElement("span");
    this.status.setAttribute("role", "status");
    this.status.className = "small soft";
    this.append(this.button, this.status);
  }

  async copy() {
    const text = this.querySelector("code").textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
      this.status.textContent = "Copied";
    } catch {
      this.status.textContent = "Select the text and copy it by hand";
    }
    setTimeout(() => (this.status.textContent = ""), THANKS_MS);
  }

  label(words) {
    this.button.title = words;
    this.button.setAttribute("aria-label", words);
  }

  picture() {
    const svg = document.createElementNS(SVG, "svg");
    const use = document.createElementNS(SVG, "use");
    svg.setAttribute("class", "icon icon-s");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", this.getAttribute("icon"));
    svg.append(use);
    return svg;
  }
}

customElements.define("copy-text", CopyText);
