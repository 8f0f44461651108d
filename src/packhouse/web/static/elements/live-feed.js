/**
 * `<live-feed>`: adds pulls to the top of the feed as they happen.
 *
 * `src` is the stream of what comes after the page was made, `keep` how many pulls stay. Holds an `<ol class="feed">`, a
 * `<template>` of one pull whose parts are named by `data-part`, and `.feed-state`. The stream resumes by itself after a break.
 */

import { money } from "./money.js";

const VOICE_MS = 10_000;

class LiveFeed extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(".feed");
    this.template = this.querySelector("template");
    this.state = this.querySelector(".feed-state");
    this.button = this.querySelector("[data-pause]");
    this.kept = Number(this.getAttribute("keep") ?? 50);
    if (!this.list || !this.template || !("EventSource" in window)) return;
    this.waiting = [];
    this.unspoken = [];
    this.paused = false;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.pause(!this.paused));
    this.list.addEventListener("pointerenter", (event) => this.hover(event, true));
    this.list.addEventListener("pointerleave", (event) => this.hover(event, false));
    this.timer = setInterval(() => this.speak(), VOICE_MS);
    this.listen();
  }

  disconnectedCallback() {
    this.stream?.close();
    clearInterval(this.timer);
  }

  listen() {
    this.tell("connecting", "Connecting");
    this.stream = new EventSource(this.getAttribute("src"));
    this.stream.onopen = () => this.tell("live", "Live");
    this.stream.onerror = () => this.tell("reconnecting", "Reconnecting");
    this.stream.onmessage = (event) => this.receive(JSON.parse(event.data));
    this.stream.addEventListener("pull", (event) => this.receive(JSON.parse(event.data)));
  }

  newest() {
    const shown = Number(this.list.firstElementChild?.dataset.sequence ?? 0);
    return Math.max(shown, this.waiting.at(-1)?.sequence ?? 0);
  }

  receive(pull) {
    if (pull.sequence <= this.newest()) return;
    this.waiting.push(pull);
    if (this.waiting.length > this.kept) this.waiting.shift();
    if (this.paused || this.hovered) this.tellWaiting();
    else this.flush();
  }

  flush() {
    for (const pull of this.waiting.splice(0)) {
      this.list.prepend(this.draw(pull));
      this.unspoken.push(pull);
    }
    while (this.list.children.length > this.kept) this.list.lastElementChild.remove();
    this.tellWaiting();
    this.dispatchEvent(new Event("pulls", { bubbles: true }));
  }

  draw(pull) {
    const item = this.template.content.firstElementChild.cloneNode(true);
    const part = (name) => item.querySelector(`[data-part="${name}"]`);
    item.dataset.sequence = pull.sequence;
    item.classList.add(`tier-${pull.tier}`);
    item.toggleAttribute("data-new", true);
    part("name").textContent = pull.card.name;
    part("username").textContent = pull.username ?? "A collector";
    part("tier").textContent = pull.tier;
    part("tier").parentElement.classList.add(`tier-${pull.tier}`);
    part("pack").textContent = pull.pack.name;
    part("pack").href = `/packs/${encodeURIComponent(pull.pack.slug)}`;
    part("time").dateTime = pull.created_at;
    if (pull.value != null) part("value").textContent = money(pull.value);
    if (pull.card.image_url) {
      part("picture").src = pull.card.image_url;
      part("picture").hidden = false;
    }
    return item;
  }

  hover(event, inside) {
    if (event.pointerType !== "mouse") return;
    this.hovered = inside;
    if (!inside && !this.paused) this.flush();
  }

  pause(paused) {
    this.paused = paused;
    this.button.setAttribute("aria-pressed", String(paused));
    this.button.textContent = paused ? "Resume" : "Pause";
    if (!paused) this.flush();
    this.tellWaiting();
  }

  tell(connection, words) {
    this.dataset.connection = connection;
    this.words = words;
    this.tellWaiting();
  }

  tellWaiting() {
    const count = this.waiting.length;
    this.state.textContent = count ? `${this.words} · ${count} new` : this.words;
  }

  /** Sums up for screen readers what was added, instead of reading each pull. */
  speak() {
    const pulls = this.unspoken.splice(0);
    const voice = this.querySelector("[data-voice]");
    if (!pulls.length || !voice) return;
    const last = pulls.at(-1);
    const count = pulls.length === 1 ? "1 new pull" : `${pulls.length} new pulls`;
    voice.textContent = `${count}. The latest: ${last.card.name}, tier ${last.tier}.`;
  }
}

customElements.define("live-feed", LiveFeed);
