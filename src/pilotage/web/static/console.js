// Small conveniences: every page that loads only this one works without it.
// [data-key="a"] presses itself on that key · form[data-confirm="Sure?"] asks · [data-copy="#id"] copies that text.
"use strict";

const isTyping = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (wanted) {
    event.preventDefault();
    wanted.click();
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
  button.textContent = "Copied";
});

// What scrolls sideways is reached by keyboard, too; browsers that do it by themselves lose nothing.
const reachable = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
const reach = () => document.querySelectorAll(".scroll, pre, figure.chart").forEach((each) => reachable.observe(each));
reach();
document.addEventListener("shown", reach); // a page that shows something else without being loaded anew
