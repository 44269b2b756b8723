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
  if (event.key === "Enter" && event.target.matches("#verdict-form select")) {
    event.preventDefault(); // it would open the list, which Space does
    return entered(event.target.form);
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest(TYPING)) return;
  if (event.key === "?") return openKeys();
  const key = event.key.toLowerCase();
  if (find("#keys")?.open || !/^[a-z1-9]$/.test(key)) return;
  const target = meantBy(key);
  if (!target || target.disabled) return;
  event.preventDefault();
  if (isSamePress(key)) return;
  pressed = key;
  if (target.matches("details")) toggle(target);
  else if (target.matches("a")) target.click();
  else if (target.matches("[data-focus-key]")) target.focus();
  else if (target.matches("input")) pick(target);
  else press(target);
}

/** What a key stands for: a number that is before answers and reasons alike, for what is to be said first. */
function meantBy(key) {
  const kinds = ["review", "focus", "toggle"].map((what) => `[data-${what}-key="${key}"]`);
  const meant = [...document.querySelectorAll([`form[data-shortcut="${key}"] button`, ...kinds].join(", "))];
  const isChosen = find("#verdict-form [value=blind], #verdict-form [type=radio][name=answer]");
  const first = waiting ? lacks(waiting)?.field.name : isChosen ? "answer" : "reason";
  return meant.find((each) => each.name === first) ?? meant[0];
}

function onClick(event) {
  if (event.target.closest("[data-keys]")) return openKeys();
  const enter = event.target.closest("[data-enter]");
  if (enter) {
    event.preventDefault();
    return entered(enter.form);
  }
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
  if (!isLed(button)) button.form.requestSubmit(button);
}

/** Whether a verdict still lacks something, to which the page then leads. */
function isLed(button) {
  if (button.name !== "verdict") return false;
  const missing = lacks(button);
  waiting = missing && button.value !== "approved" ? button : null;
  hint(button.form, missing?.why ?? "");
  missing?.field.focus();
  return missing !== null;
}

/** Enter in a field: sends the verdict that was begun, or the answer that stands in the field. */
function entered(form) {
  const isAnswer = document.activeElement?.name === "answer";
  const verdict = waiting ?? (isAnswer ? form.querySelector("[value=blind], [value=corrected]") : null);
  if (verdict) press(verdict);
  else hint(form, "Nothing is sent yet: press the button of your verdict.");
}

const hint = (form, text) => {
  form.querySelector("[data-hint]").textContent = text;
};

function pick(radio) {
  radio.checked = true;
  radio.focus();
  const isOther = radio.name === "answer" && isAnotherAnswer(radio.form);
  const begun = waiting ?? (isOther ? radio.form.querySelector("[value=corrected]") : null);
  if (begun) press(begun);
}

/** The field that stands in the way of a verdict, and why; null where nothing does. */
function lacks(button) {
  const { form, value: verdict } = button;
  const answers = [...form.querySelectorAll("[name=answer]")];
  const field = answers.find((each) => each.checked) ?? answers[0];
  const isOther = isAnotherAnswer(form);
  if (verdict === "approved" && isOther) {
    return { field, why: "Another answer stands here: correct the case, or take it out." };
  }
  if (["corrected", "blind"].includes(verdict) && field && !isOther) return { field, why: "Say what is right." };
  if (!["corrected", "rejected"].includes(verdict)) return null;
  const reasons = [...form.querySelectorAll("input[name=reason]")];
  if (form.other.value.trim() || reasons.some((radio) => radio.checked)) return null;
  return { field: reasons[0] ?? form.other, why: "Say why: the number of a reason, or your own words." };
}

function isAnotherAnswer(form) {
  const said = (new FormData(form).get("answer") ?? "").trim();
  const given = form.dataset.given;
  return said !== "" && said !== given && !(given && Number(said) === Number(given));
}

function onSubmit(event) {
  const form = event.target;
  if (form.matches("#verdict-form") && event.submitter && isLed(event.submitter)) {
    event.preventDefault(); // the same help for the mouse: led to what is missing
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
  const reply = await post(`/queue/cases/${caseIn(document)}/ahead${location.search}`, body);
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
  const query = new URLSearchParams(location.search); // what the queue is narrowed to stays
  if (judged) query.set("judged", judged);
  else query.delete("judged");
  history.pushState(null, "", query.size ? `${next.address}?${query}` : next.address);
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
