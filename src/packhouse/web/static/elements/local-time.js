/**
 * `<local-time>`: shows the time inside it in the visitor's own zone, and how long ago it was.
 *
 * Wraps a `<time datetime="…Z">` whose text the server has already filled. Without attributes it says
 * how long ago ("3 min ago", the full time in the tooltip); with `full` it says the date and time.
 */

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const REFRESH_MS = 30_000;

/** How long ago `moment` was, in the largest unit that fits; "now" within a minute. */
function ago(moment) {
  const seconds = (moment.getTime() - Date.now()) / 1000;
  const fitting = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  if (!fitting) return AGO.format(0, "second");
  const [unit, length] = fitting;
  return AGO.format(Math.trunc(seconds / length), unit);
}

class LocalTime extends HTMLElement {
  connectedCallback() {
    this.show();
    if (!this.hasAttribute("full")) this.timer = setInterval(() => this.show(), REFRESH_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  /** Writes the time anew; called again by those who change the `datetime` inside. */
  show() {
    const time = this.querySelector("time");
    const moment = new Date(time?.dateTime ?? "");
    if (Number.isNaN(moment.getTime())) return;
    time.title = FULL.format(moment);
    time.textContent = this.hasAttribute("full") ? FULL.format(moment) : ago(moment);
  }
}

customElements.define("local-time", LocalTime);
