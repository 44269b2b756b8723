// Keys of the review queue, and keeping a case while its page is open. Every key is printed on what it presses.

const RENEW_EVERY_MS = 60_000;
const TYPING = "input:not([type=radio]), textarea, select, [contenteditable]";

/** The verdict that was asked for and still lacks something; picking that sends it. */
let waiting = null;

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest(TYPING)) return;
  const key = event.key.toLowerCase();
  if (!/^[a-z1-9]$/.test(key)) return;
  const target = document.querySelector(`form[data-shortcut="${key}"] button, [data-review-key="${key}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input")) pick(target);
  else press(target);
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
  if (button.value === "corrected" && answers.length && !answered) return answers[0];
  const reasons = [...button.form.querySelectorAll("input[name=reason]")];
  const said = button.form.other.value.trim() || reasons.some((radio) => radio.checked);
  return said ? null : (reasons[0] ?? button.form.other);
}

/** The same help for the mouse: a click on an incomplete verdict leads to what is missing. */
function onSubmit(event) {
  const missing = event.submitter && lacks(event.submitter);
  if (!missing) return;
  event.preventDefault();
  waiting = event.submitter;
  missing.focus();
}

/** Asks for five more minutes while somebody looks; says so when the case was lost. */
async function renew(status, form) {
  if (document.visibilityState !== "visible") return;
  const reply = await fetch(status.dataset.renew, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (reply.ok) return;
  status.textContent = "This case is not yours any more: your time on it ended, or it was taken. Reload the page.";
  for (const button of form.querySelectorAll("button")) button.disabled = true;
}

addEventListener("keydown", onKey);
const form = document.querySelector("#verdict-form");
const status = document.querySelector("[data-renew]");
form?.addEventListener("submit", onSubmit);
if (form && status) setInterval(() => renew(status, form).catch(() => {}), RENEW_EVERY_MS);
