// Keys of the review queue; keeping a case while its page is open; having the next one ready, and showing it at once.

const RENEW_EVERY_MS = 60_000;
const STALE_AFTER_MS = 240_000; // a lease lasts five minutes: one that was not renewed for four is not relied on
const TWICE_WITHIN_MS = 300; // nobody judges a case that they have seen for less: it is the same press once more
const TYPING = "input:not([type=radio]), textarea, select, [contenteditable]";

/** The verdict that was asked for and still lacks something; picking that sends it. */
let waiting = null;
/** The next case, taken for us and not shown yet: its page, the address that it has, and since when it surely is ours. */
let ahead = null;
/** The verdict that is on its way, while the next case is shown already. */
let sending = null;
/** What was pressed last, a key or the mouse; and what had been pressed when a case was shown, and when that was. */
let pressed = "";
let shown = { by: "", at: -Infinity, path: location.pathname };
let isLeft = false;

const find = (selector) => document.querySelector(selector);
const post = (address, body, more = {}) => fetch(address, { method: "POST", body, ...more });

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest(TYPING)) return;
  if (event.key === "?") return openKeys();
  const key = event.key.toLowerCase();
  if (find("#keys")?.open || !/^[a-z1-9]$/.test(key)) return;
  const meant = ["review", "focus", "toggle"].map((what) => `[data-${what}-key="${key}"]`);
  const target = find([`form[data-shortcut="${key}"] button`, ...meant].join(", "));
  if (!target) return;
  event.preventDefault();
  if (isSamePress(key)) return;
  pressed = key;
  if (target.matches("details")) toggle(target);
  else if (target.matches("a")) target.click();
  else if (target.matches("[data-focus-key]")) target.focus();
  else if (target.matches("input")) pick(target);
  else press(target);
}

function onClick(event) {
  if (event.target.closest("[data-keys]")) return openKeys();
  if (event.detail === 0 || !event.target.closest("button")) return; // not a mouse, or nothing that it sends
  if (isSamePress("mouse")) event.preventDefault();
  pressed = "mouse";
}

const isSamePress = (by) => by === shown.by && performance.now() - shown.at < TWICE_WITHIN_MS;

function openKeys() {
  const keys = find("#keys");
  if (!keys?.open) keys?.showModal();
}

function toggle(details) {
  details.open = !details.open;
  if (details.open) details.querySelector("input:not([type=hidden])")?.focus();
}

/** Sends a verdict, or leads to what it lacks. */
function press(button) {
  const missing = lacks(button);
  waiting = missing ? button : null;
  if (missing) missing.focus();
  else button.form.requestSubmit(button);
}

function pick(radio) {
  radio.checked = true;
  radio.focus();
  if (waiting) press(waiting);
}

/** The field that a correction or rejection still lacks: the answer, then the reason. */
function lacks(button) {
  if (button.name !== "verdict" || button.value === "approved") return null;
  const answers = [...button.form.querySelectorAll("[name=answer]:not([type=hidden])")];
  const answered = answers.some((field) => (field.type === "radio" ? field.checked : field.value.trim()));
  if (button.value !== "rejected" && answers.length && !answered) return answers[0];
  if (button.value === "blind") return null;
  const reasons = [...button.form.querySelectorAll("input[name=reason]")];
  const said = button.form.other.value.trim() || reasons.some((radio) => radio.checked);
  return said ? null : (reasons[0] ?? button.form.other);
}

function onSubmit(event) {
  const form = event.target;
  const missing = form.matches("#verdict-form") && event.submitter && lacks(event.submitter);
  if (missing) {
    event.preventDefault(); // the same help for the mouse: led to what is missing
    waiting = event.submitter;
    missing.focus();
  } else if (form.matches("#verdict-form, [data-onward]")) {
    if (!isReady()) return; // the server shows the next case, as it does without this script
    event.preventDefault();
    goOn(form, event.submitter);
  } else if (form.matches("[data-shortcut=u]") && sending) {
    event.preventDefault(); // nothing can be taken back before it was kept
    sending.then(() => form.isConnected && form.submit());
  }
}

/** Who holds this page's case, as the server knows it: the fence of the lease. */
const leaseOf = (form) => {
  const fields = new FormData(form);
  return new URLSearchParams([...fields].filter(([name]) => ["fence", "_csrf_token"].includes(name)));
};

const isReady = () => ahead !== null && Date.now() - ahead.at < STALE_AFTER_MS;

/** Takes the case after this one and keeps its page at hand. `begun`: this one was taken so, and is looked at from now. */
async function prepare(begun) {
  const form = find("#verdict-form");
  if (!form || isLeft) return;
  const body = leaseOf(form);
  if (begun) body.set("begun", "true");
  const at = Date.now();
  const reply = await post(`/queue/cases/${caseIn(document)}/ahead`, body);
  if (reply.status === 409) return lost(form);
  if (reply.status !== 200 || reply.redirected) return;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  if (!page.querySelector("#verdict-form")) return;
  ahead = { page, address: `/queue/cases/${caseIn(page)}`, at };
  if (isLeft || form !== find("#verdict-form")) giveBack();
}

const caseIn = (page) => page.querySelector("[data-case]").dataset.case;

/** Shows the case that is ready, and sends what was said of the one before. */
function goOn(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.set(submitter.name, submitter.value);
  body.set("stay", "true");
  const before = { id: caseIn(document), entity: find("h1").textContent };
  const isVerdict = form.matches("#verdict-form");
  const sent = post(form.action, body, { keepalive: true });
  show(ahead, isVerdict ? before.id : "");
  sending = settled(sent, before, isVerdict).finally(() => {
    sending = null;
    prepare(true).catch(() => {});
  });
}

function show(next, judged) {
  const main = document.adoptNode(next.page.querySelector("main"));
  const said = main.querySelector("#judged");
  if (!judged) said.replaceChildren();
  const word = said.querySelector("[data-said]");
  if (word) word.textContent = word.textContent.replace("Kept", "Keeping");
  find("main").replaceWith(main);
  document.title = next.page.title;
  history.pushState(null, "", judged ? `${next.address}?judged=${judged}` : next.address);
  shown = { by: pressed, at: performance.now(), path: location.pathname };
  ahead = waiting = null;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
  document.dispatchEvent(new Event("shown"));
}

/** Says that a verdict was kept, once it was; or that it was not. */
async function settled(sent, before, isVerdict) {
  const reply = await sent.catch(() => null);
  if (reply?.redirected) return location.reload(); // the session is over: to the log-in
  if (!isVerdict) return;
  const word = find("#judged [data-said]");
  if (reply?.status === 204) {
    if (word) word.textContent = word.textContent.replace("Keeping", "Kept");
    return;
  }
  const page = new DOMParser().parseFromString(reply ? await reply.text() : "", "text/html");
  const why = page.querySelector("main h1 ~ p")?.textContent ?? "The server did not answer.";
  const notice = Object.assign(document.createElement("p"), { className: "notice fail", role: "alert" });
  const link = Object.assign(document.createElement("a"), { href: `/queue/cases/${before.id}` });
  link.textContent = `Look at ${before.entity} again`;
  notice.append(`Your verdict on ${before.entity} does not count. ${why} `, link);
  find("#judged").replaceChildren(notice);
}

/** Lets others have the case that was taken ahead, also from a page that is being left. */
function giveBack() {
  if (!ahead) return;
  const body = leaseOf(ahead.page.querySelector("#verdict-form"));
  body.set("stay", "true");
  navigator.sendBeacon(`${ahead.address}/release`, body);
  ahead = null;
}

/** Asks for five more minutes while somebody looks, for this case and the one that is ready. */
async function renew() {
  const form = find("#verdict-form");
  if (!form || document.visibilityState !== "visible") return;
  if (!ahead) return prepare(false); // which keeps this one, too
  const next = ahead;
  const at = Date.now();
  const reply = await post(find("[data-renew]").dataset.renew, leaseOf(form));
  if ((!reply.ok || reply.redirected) && form.isConnected) lost(form);
  const kept = await post(`${next.address}/renew`, leaseOf(next.page.querySelector("#verdict-form")));
  if (kept.ok && !kept.redirected) next.at = at;
  else if (ahead === next) ahead = null;
}

function lost(form) {
  find("[data-renew]").textContent =
    "This case is not yours any more: your time on it ended, or it was taken. Reload the page.";
  for (const button of form.querySelectorAll("button")) button.disabled = true;
}

addEventListener("keydown", onKey);
addEventListener("click", onClick);
addEventListener("submit", onSubmit);
addEventListener("popstate", () => location.pathname !== shown.path && location.reload());
addEventListener("pagehide", () => {
  isLeft = true;
  giveBack();
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  isLeft = false;
  prepare(false).catch(() => {});
});
setInterval(() => renew().catch(() => {}), RENEW_EVERY_MS);
prepare(false).catch(() => {});
