// <pilotage-card>: shows one decision in an app that already runs, and takes what people do with it.
//
//   <script type="module" src="https://pilotage.example/embed/pilotage-card.js" integrity="sha384-…" crossorigin></script>
//   <pilotage-card server="https://pilotage.example" token-url="/my-app/card-token?flight=UA1545"></pilotage-card>
//
// No dependency, no cookie, no inline style, no HTML made from data. A token comes by `card.token = "…"` or from the
// host's own `token-url` as {"token": "…"}; it is sent in a header, never in an address.
//
// Attributes: server, token-url, show-status (show loading and errors before the first answer; without it a card that
// has nothing to show takes no space at all), action-button (the recommended action is a button: pressing it is noted as accepted).
// Events: pilotage-state {state}, pilotage-feedback {kind, reason, decision}, pilotage-undone {kind, decision}, pilotage-action {action, answer, decision},
// pilotage-error {status}, pilotage-token-expired.
// Colours and shape: --pilotage-accent, -on-accent, -text, -muted, -surface, -raised, -border, -good, -warn, -bad, -radius, -font.

/**
 * @typedef {"answer"|"rule"|"uncertain"|"missing"|"nothing"} Look
 * @typedef {{sentence: string, direction: "raises"|"lowers"}} Signal
 * @typedef {{state: Look, version?: string, decision?: string, title?: string, entity?: string, words?: string,
 *   because?: string, note?: string, band?: string, band_words?: string, tenths?: number, signals?: Signal[],
 *   action?: string, reasons?: string[], reason_words?: string[], actions?: string[]}} Card
 */

/** @type {Record<string, Record<string, string>>} Put in by the server: one file per language. */
const MESSAGES = {};

const REQUEST_MS_MAX = 8_000;
const RENEW_BEFORE_MS = 20_000;
const NEW_TOKEN_MS_MAX = 10_000;
const REFRESH_AFTER_MS = 30_000;
const SEEN_AFTER_MS = 1_000;
const SEEN_SHARE = 0.5;
const SIGHTS = Array.from({ length: 51 }, (_, number) => number / 50); // so many, for half a screen of a long card
const CHARACTERS_MAX = 1_500;

const HIDDEN = sheet(":host { display: none !important; }");
const STYLE = sheet(`
:host {
  --text: var(--pilotage-text, light-dark(#1b1f24, #e9edf1)); --muted: var(--pilotage-muted, light-dark(#57606a, #a3adb8));
  --surface: var(--pilotage-surface, light-dark(#fff, #181c21)); --raised: var(--pilotage-raised, light-dark(#f3f5f7, #232930));
  --border: var(--pilotage-border, light-dark(#d0d7de, #3a434d)); --accent: var(--pilotage-accent, light-dark(#0b5fc0, #7cb8ff));
  --on-accent: var(--pilotage-on-accent, light-dark(#fff, #0c1a2b)); --good: var(--pilotage-good, light-dark(#1a6b35, #6fd08c));
  --warn: var(--pilotage-warn, light-dark(#8a4b00, #f0b35a)); --bad: var(--pilotage-bad, light-dark(#b3261e, #ff9d96));
  --tone: var(--accent);
  display: block; container-type: inline-size; color: var(--text);
  font: 400 0.9375rem/1.45 var(--pilotage-font, system-ui, sans-serif); text-align: start;
}
* { box-sizing: border-box; }
h3, p, ul, fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
.card { background: var(--surface); border: 1px solid var(--border); border-inline-start: 4px solid var(--tone);
  border-radius: var(--pilotage-radius, 10px); padding: 1rem; display: grid; gap: 0.75rem; overflow-wrap: anywhere; hyphens: auto; }
.rule { --tone: var(--muted); } .uncertain { --tone: var(--warn); } .missing, .problem { --tone: var(--bad); }
.head { display: flex; flex-wrap: wrap; gap: 0.35rem 0.75rem; align-items: start; justify-content: space-between; }
.head > div { min-inline-size: 0; flex: 1 1 9rem; }
h3 { font-size: 1.0625rem; line-height: 1.3; font-weight: 650; }
.small { font-size: 0.8125rem; color: var(--muted); }
.chip { flex: none; max-inline-size: 100%; border: 1px solid currentcolor; border-radius: 99px; padding: 0.1rem 0.65rem;
  font-size: 0.8125rem; font-weight: 600; color: var(--tone); }
.chip.low { color: var(--good); } .chip.high { color: var(--accent); } .chip.uncertain { color: var(--warn); }
.words { font-size: 1.0625rem; font-weight: 600; }
.tenths { display: grid; grid-template-columns: repeat(10, minmax(0, 1.25rem)); gap: 3px; }
.tenths i { block-size: 0.5rem; border-radius: 2px; background: var(--raised); border: 1px solid var(--muted); }
.tenths .on { background: var(--tone); border-color: var(--tone); }
ul { list-style: none; display: grid; gap: 0.4rem; margin-block-start: 0.35rem; }
li { display: grid; grid-template-columns: 1.25rem minmax(0, 1fr); gap: 0.4rem; }
li svg { inline-size: 1rem; block-size: 1rem; margin-block-start: 0.2rem; fill: var(--bad); }
li.lowers svg { fill: var(--good); transform: rotate(180deg); }
.action { background: var(--raised); border-radius: 8px; padding: 0.6rem 0.8rem; display: grid; gap: 0.1rem; justify-items: start; }
.action strong { font-size: 1rem; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem; }
button, select, textarea { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--muted);
  border-radius: 7px; padding: 0.35rem 0.75rem; min-block-size: 2.25rem; max-inline-size: 100%; }
button { cursor: pointer; font-weight: 550; overflow-wrap: break-word; }
button:hover { background: var(--raised); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.main:hover { filter: brightness(1.08); }
button[aria-expanded=true] { border-color: var(--accent); color: var(--accent); }
button[disabled] { opacity: 0.55; cursor: default; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form, label { display: grid; gap: 0.35rem; } form { gap: 0.7rem; }
form { border-block-start: 1px solid var(--border); padding-block-start: 0.75rem; }
select, textarea { inline-size: 100%; } textarea { min-block-size: 4rem; resize: vertical; }
.fault { color: var(--bad); } .live { font-weight: 550; color: var(--good); } .live.fault { color: var(--bad); }
.told { align-items: center; } .told:not(:has(.live:not(:empty))) { position: absolute; block-size: 0; overflow: hidden; } .live { flex: 0 1 auto; min-inline-size: 0; }
.undo { border-color: transparent; padding-inline: 0; color: var(--accent); text-decoration: underline; }
.sr { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.pulse { block-size: 0.75rem; border-radius: 4px; background: var(--raised); animation: pulse 1.4s ease-in-out infinite; }
.pulse + .pulse { inline-size: 70%; }
@keyframes pulse { 50% { opacity: 0.4; } }
@media (prefers-reduced-motion: reduce) { .pulse { animation: none; } }
@media (forced-colors: active) { .tenths .on { background: CanvasText; } li svg { fill: CanvasText; } }
@container (max-width: 22rem) { .card { padding: 0.8rem; } .buttons button { flex: 1 1 auto; } }
`);

/** @param {string} css @returns {CSSStyleSheet} */
function sheet(css) {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

/**
 * An element with attributes, properties (functions, booleans) and children; texts stay texts.
 * @param {string} tag @param {Record<string, any>} [given] @param {...(Node|string|null|undefined|false)} children
 */
function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function" || typeof value === "boolean") made[name] = value;
    else if (value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

/** A text that keeps its own direction, also within a page of the other. @param {string|undefined} text */
const own = (text) => el("bdi", {}, text ?? "");

/** A triangle that points up, drawn: no font needs to have it. */
function arrow() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", "M8 2 15 14H1z");
  svg.append(path);
  return svg;
}

/** When a token ends, in milliseconds since 1970; Infinity when it does not say. @param {string} token */
function endOf(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(body)).exp * 1000 || Infinity;
  } catch {
    return Infinity;
  }
}

/** A request that did not succeed; status 0 when no answer came. */
class Refused extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`Pilotage answered ${status}`);
    this.status = status;
  }
}

/** @param {string|URL} url @param {RequestInit} init @returns {Promise<any>} */
async function ask(url, init) {
  let reply;
  try {
    reply = await fetch(url, { cache: "no-store", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(REQUEST_MS_MAX), ...init });
  } catch {
    throw new Refused(0);
  }
  if (!reply.ok) throw new Refused(reply.status);
  return reply.status === 204 ? null : reply.json();
}

class PilotageCard extends HTMLElement {
  static observedAttributes = ["server", "token-url"];

  #root = this.attachShadow({ mode: "open" });
  #token = "";
  /** @type {Card|null} */ #card = null;
  #load = 0;
  #due = false;
  #loadedAt = 0;
  #seen = "";
  #watcher = new IntersectionObserver((entries) => this.#onSight(entries.at(-1)), { threshold: SIGHTS });
  #sightTimer = 0;
  #undoTimer = 0;
  /** @type {(() => void)[]} Requests that wait for the host's next token. */ #waiting = [];
  #onVisibility = () => { this.#watch(); this.#refreshIfOld(); };

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [STYLE, HIDDEN];
  }

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#onVisibility);
    if (Object.hasOwn(this, "token")) { // set before this module had loaded
      const token = Reflect.get(this, "token");
      Reflect.deleteProperty(this, "token");
      this.#token = String(token);
    }
    this.#refreshSoon();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#watcher.disconnect();
    this.#outOfSight();
    clearTimeout(this.#undoTimer);
    this.#load += 1;
  }

  /** Another server or token source is another card: the old one's content must not stay beside a new heading. */
  attributeChangedCallback(name, before) {
    if (before !== null) {
      this.#card = null;
      this.#replace();
    }
    if (name === "token-url") this.#token = "";
    this.#refreshSoon();
  }

  get token() { return ""; } // a token goes in and does not come out
  set token(token) {
    this.#token = String(token ?? "");
    for (const goOn of this.#waiting.splice(0)) goOn();
    this.#refreshSoon();
  }

  /** The decision shown, or null. */
  get decision() { return this.#card?.decision ?? null; }

  /** Ask again what to show. The newest call wins, whatever order the answers come in. */
  async refresh() {
    if (!this.getAttribute("server") || !(this.#token || this.getAttribute("token-url"))) return;
    const load = (this.#load += 1);
    if (!this.#card && this.hasAttribute("show-status")) this.#showLoading();
    try {
      const card = await this.#request("/v1/card", {});
      if (load === this.#load) this.#show(card);
    } catch (error) {
      if (load === this.#load) this.#showFailure(error instanceof Refused ? error.status : 0);
    }
  }

  /** Several changes in one turn of the page are one request. */
  #refreshSoon() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (this.isConnected) this.refresh();
    });
  }

  // Talking to the server.

  /**
   * One request with a fresh token. A refused one is renewed once: at its address, or by the host for what people did.
   * @param {string} path @param {RequestInit} init
   */
  async #request(path, init, again = true) {
    const token = await this.#freshToken();
    const headers = { Authorization: `Bearer ${token}`, "Accept-Language": this.#language(), ...init.headers };
    try {
      return await ask(new URL(path, this.getAttribute("server")), { credentials: "omit", mode: "cors", ...init, headers });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      const renewable = this.hasAttribute("token-url");
      if (again && renewable) this.#token = "";
      else if (again && init.method === "POST") await this.#nextToken(error);
      else {
        this.#tell("pilotage-token-expired", {});
        throw error;
      }
      return this.#request(path, init, false);
    }
  }

  /** Tells the host that its token is over, and waits some seconds for the next. @param {Refused} refused thrown where there is none */
  #nextToken(refused) {
    return new Promise((goOn, giveUp) => {
      setTimeout(() => giveUp(refused), NEW_TOKEN_MS_MAX);
      this.#waiting.push(() => goOn(undefined));
      this.#tell("pilotage-token-expired", {});
    });
  }

  /** The token at hand, or a new one from the host's own address shortly before that one ends. */
  async #freshToken() {
    const source = this.getAttribute("token-url");
    if (!source || (this.#token && endOf(this.#token) - Date.now() > RENEW_BEFORE_MS)) return this.#token;
    const given = await ask(new URL(source, document.baseURI), { credentials: "same-origin", headers: { Accept: "application/json" } });
    this.#token = String(given?.token ?? "");
    return this.#token;
  }

  /** Always names the decision that is shown: a token renewed since may be for a newer one. */
  #send(kind, reason, decision = this.#card?.decision) {
    return this.#post("/v1/card/feedback", { kind, reason, decision });
  }

  /** @param {string} path @param {object} said */
  #post(path, said) {
    return this.#request(path, { method: "POST", keepalive: true, body: JSON.stringify(said), headers: { "Content-Type": "application/json" } });
  }

  // What is shown.

  #language() {
    const near = this.closest("[lang]")?.getAttribute("lang") || document.documentElement.lang || "en";
    const short = near.toLowerCase().split("-")[0];
    return short in MESSAGES ? short : "en";
  }

  /** @param {string} key */
  #text(key) { return MESSAGES[this.#language()][key]; }

  /** @param {string} name @param {object} detail */
  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true })); }

  /** Replace the whole content; none at all takes no space. @param {...Node} nodes */
  #replace(...nodes) {
    this.#root.adoptedStyleSheets = nodes.length ? [STYLE] : [STYLE, HIDDEN];
    this.#root.replaceChildren(...nodes);
  }

  /** @param {Card} card */
  #show(card) {
    this.#loadedAt = Date.now();
    const changed = !this.#card || this.#card.version !== card.version || this.#card.state !== card.state;
    const stale = this.#root.querySelector(".stale") !== null;
    this.#card = card.state === "nothing" ? null : card;
    if (!this.#card) this.#replace();
    else if (changed || stale) this.#replace(this.#drawn(card));
    this.#watch();
    if (changed) this.#tell("pilotage-state", { state: card.state });
  }

  #showLoading() {
    const pulses = [el("div", { class: "pulse" }), el("div", { class: "pulse" })];
    this.#replace(el("section", { class: "card", "aria-busy": "true", "aria-label": this.#text("label") },
      el("p", { class: "sr", role: "status" }, this.#text("loading")), ...pulses));
  }

  /** Before the first answer a failure shows nothing unless the host asks for it: in shadow there must be no trace. */
  #showFailure(status) {
    this.#tell("pilotage-error", { status });
    const key = status === 401 ? "expired" : status === 403 || status === 404 ? "denied" : "failed";
    if (this.#card && key === "failed") return this.#markStale();
    const visible = this.#card || this.hasAttribute("show-status");
    this.#card = null;
    this.#watch();
    if (visible) this.#replace(this.#problem(key));
    else this.#replace();
  }

  #problem(key) {
    const retry = key === "failed" && el("button", { type: "button", onclick: () => this.refresh() }, this.#text("retry"));
    return el("section", { class: "card problem", "aria-label": this.#text("label") },
      el("p", { role: "alert" }, this.#text(key)), retry && el("div", { class: "row" }, retry));
  }

  #markStale() {
    if (this.#root.querySelector(".stale")) return;
    this.#root.querySelector(".head")?.after(el("p", { class: "small stale", role: "status" }, this.#text("stale")));
  }

  /** @param {Card} card */
  #drawn(card) {
    const entity = el("h3", { id: "entity" }, own(card.entity));
    return el("section", { class: `card ${card.state}`, "aria-labelledby": "entity", lang: this.#language() },
      el("div", { class: "head" },
        el("div", {}, el("p", { class: "small" }, own(card.title)), entity),
        el("p", { class: `chip ${card.state === "answer" ? card.band ?? "" : ""}` }, this.#chip(card))),
      card.because && el("p", {}, own(card.because)),
      card.note && el("p", {}, own(card.note)),
      card.words && el("p", { class: "words" }, own(card.words)),
      this.#tenths(card), this.#signals(card), this.#action(card), this.#buttons(card),
      el("div", { class: "row told" }, el("p", { class: "live", role: "status", "aria-live": "polite" })));
  }

  #chip(card) { return card.state === "answer" && card.band_words ? card.band_words : this.#text(card.state); }

  #tenths(card) {
    if (card.tenths === undefined || card.tenths === null) return null;
    const boxes = Array.from({ length: 10 }, (_, number) => el("i", { class: number < card.tenths ? "on" : "" }));
    return el("div", { class: "tenths", "aria-hidden": "true" }, ...boxes);
  }

  #signals(card) {
    if (!card.signals?.length) return null;
    const item = (signal) => el("li", { class: signal.direction }, arrow(),
      el("span", {}, el("span", { class: "sr" }, `${this.#text(signal.direction)}: `), own(signal.sentence)));
    return el("div", {}, el("p", { class: "small", id: "signals" }, this.#text("signals")),
      el("ul", { role: "list", "aria-labelledby": "signals" }, ...card.signals.map(item)));
  }

  #action(card) {
    if (!card.action) return null;
    const label = { answer: "recommended", uncertain: "meanwhile" }[card.state] ?? "current";
    const shown = this.hasAttribute("action-button") && card.state !== "missing"
      ? el("button", { type: "button", class: "main", onclick: () => this.#accept(card) }, card.action) : el("strong", {}, own(card.action));
    return el("div", { class: "action" }, el("span", { class: "small" }, this.#text(label)), shown);
  }

  #buttons(card) {
    if (!card.actions?.length) return null;
    const plain = (kind) => el("button", { type: "button", "data-kind": kind, onclick: () => this.#submit(kind, "") }, this.#text(kind));
    const asking = (kind) => el("button", { type: "button", "data-kind": kind, "aria-expanded": "false",
      onclick: (event) => this.#toggleForm(kind, event.currentTarget) }, this.#text(kind));
    const button = { useful: plain, wrong: plain, override: asking, escalate: asking };
    return el("div", { class: "row buttons" }, ...card.actions.filter((kind) => kind in button).map((kind) => button[kind](kind)));
  }

  // What people do.

  #toggleForm(kind, opener) {
    const open = this.#root.querySelector("form");
    const same = open?.dataset.kind === kind;
    this.#closeForm();
    if (same) return;
    const form = this.#form(kind, opener);
    opener.setAttribute("aria-expanded", "true");
    this.#root.querySelector(".buttons").after(form);
    form.querySelector("select, textarea").focus();
  }

  #closeForm() {
    this.#root.querySelector("form")?.remove();
    for (const button of this.#root.querySelectorAll("[aria-expanded]")) button.setAttribute("aria-expanded", "false");
  }

  #form(kind, opener) {
    const cancel = () => { this.#closeForm(); opener.focus(); };
    const choices = kind === "override" ? this.#choices() : null;
    const words = el("textarea", { name: "words", maxlength: CHARACTERS_MAX, rows: 2 });
    return el("form", {
      "data-kind": kind, "aria-label": this.#text(kind), noValidate: true,
      onsubmit: (event) => { event.preventDefault(); this.#submitForm(event.currentTarget); },
      onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); cancel(); } },
    },
    choices && el("label", {}, el("span", {}, own(this.#text("why"))), choices),
    el("label", {}, this.#text(kind === "override" ? "words" : "note"), words),
    el("p", { class: "fault", id: "fault", role: "alert" }),
    el("div", { class: "row" }, el("button", { type: "submit", class: "main" }, this.#text("send")),
      el("button", { type: "button", onclick: cancel }, this.#text("cancel"))));
  }

  #choices() {
    const shown = this.#card?.reason_words ?? [];
    const listed = (this.#card?.reasons ?? []).map((reason, at) => el("option", { value: reason }, shown[at] ?? reason));
    return el("select", { name: "choice" }, el("option", { value: "" }, this.#text("choose")), ...listed,
      el("option", { value: "other" }, this.#text("other")));
  }

  /** The reason is a choice, own words, or both; "another reason" needs the words. */
  #submitForm(form) {
    const choice = form.querySelector("select");
    const words = form.querySelector("textarea");
    const picked = choice && choice.value !== "other" ? choice.value : "";
    const reason = [picked, words.value.trim()].filter(Boolean).join(": ");
    const lacking = choice && !choice.value && !reason ? choice : reason ? null : words;
    form.querySelector("#fault").replaceChildren(own(lacking ? this.#text("needed") : ""));
    for (const field of [choice, words]) field?.setAttribute("aria-invalid", String(field === lacking));
    if (lacking) lacking.focus();
    else this.#submit(form.dataset.kind, reason);
  }

  async #submit(kind, reason) {
    const decision = this.decision;
    const given = await this.#tried(() => this.#send(kind, reason), kind);
    if (!given) return;
    this.#closeForm();
    this.#tell("pilotage-feedback", { kind, reason, decision });
    if (kind === "escalate") await this.refresh();
    if (this.decision === decision) this.#say(this.#text(`thanks_${kind}`), false, given);
  }

  /** The host acts at once; that it was asked to is noted where the token lets it. @param {Card} card */
  #accept(card) {
    this.#tell("pilotage-action", { action: card.action, answer: card.answer, decision: card.decision });
    if (card.actions?.includes("accept")) this.#submit("accept", "");
  }

  /** @param {{id: string, kind: string, decision: string}} given */
  async #undo(given) {
    if (!await this.#tried(() => this.#post("/v1/card/feedback/undo", { feedback: given.id }))) return;
    this.#tell("pilotage-undone", { kind: given.kind, decision: given.decision });
    if (given.kind === "escalate") await this.refresh();
    this.#say(this.#text("undone"), false);
  }

  /** What the server said, or null where it said no: which is said aloud. @param {() => Promise<any>} send */
  async #tried(send, kind = "") {
    this.#busy(true);
    try {
      return await send();
    } catch (error) {
      const status = error instanceof Refused ? error.status : 0;
      if (kind === "accept") this.#tell("pilotage-error", { status }); // to try again would be to act twice
      else this.#say(this.#text(status === 409 ? "late" : "unsent"), true);
      return null;
    } finally {
      this.#busy(false);
    }
  }

  #busy(busy) { for (const button of this.#root.querySelectorAll("button")) button.disabled = busy; }

  /** A sentence for everybody, and for so many seconds a button that takes back what it confirms. */
  #say(sentence, fault, given = null) {
    const live = this.#root.querySelector(".live");
    if (!live) return;
    clearTimeout(this.#undoTimer);
    this.#root.querySelector(".undo")?.remove();
    live.classList.toggle("fault", fault);
    live.replaceChildren(own(sentence));
    if (given?.undo_seconds) this.#offerUndo(live, given);
    if (!fault && !this.#root.activeElement) { live.tabIndex = -1; live.focus({ preventScroll: true }); }
  }

  #offerUndo(live, given) {
    const button = el("button", { type: "button", class: "undo", onclick: () => this.#undo(given) }, this.#text("undo"));
    live.after(button);
    this.#undoTimer = setTimeout(() => {
      if (this.#root.activeElement === button) { live.tabIndex = -1; live.focus({ preventScroll: true }); }
      button.remove();
    }, given.undo_seconds * 1000);
  }

  // Whether it was seen, and whether it is still true.

  /** Begins anew; a page in a hidden tab shows nothing to anybody. */
  #watch() {
    this.#watcher.disconnect();
    this.#outOfSight();
    const wanted = this.#card && this.#seen !== this.#card.decision && document.visibilityState === "visible";
    if (wanted) this.#watcher.observe(this);
  }

  #outOfSight() {
    clearTimeout(this.#sightTimer);
    this.#sightTimer = 0;
  }

  /** 'shown' is sent once per decision, when half of the card, or half a screen of it, was in sight for a second. */
  #onSight(entry) {
    const screen = entry.rootBounds?.height ?? innerHeight;
    const inSight = entry.intersectionRatio >= SEEN_SHARE || entry.intersectionRect.height >= SEEN_SHARE * screen;
    if (!inSight) this.#outOfSight();
    else if (!this.#sightTimer) this.#sightTimer = setTimeout(() => this.#reportSeen(), SEEN_AFTER_MS);
  }

  async #reportSeen() {
    const decision = this.#card?.decision;
    if (!decision || this.#seen === decision) return;
    this.#seen = decision;
    this.#watcher.disconnect();
    await this.#send("shown", "").catch(() => { this.#seen = ""; });
  }

  #refreshIfOld() {
    const editing = this.#root.querySelector("form");
    if (document.visibilityState === "visible" && !editing && Date.now() - this.#loadedAt > REFRESH_AFTER_MS) this.refresh();
  }
}

if (!customElements.get("pilotage-card")) customElements.define("pilotage-card", PilotageCard);

export { PilotageCard };
