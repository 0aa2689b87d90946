// Progressive enhancement: every page works without it. Nothing typed into a page is stored in the browser.
"use strict";

document.documentElement.classList.add("js");

// Copy buttons confirm on the button itself that the text was copied.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const name = button.title;
  if (name === button.dataset.done) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = (text, done) => {
    button.classList.toggle("done", done);
    button.title = button.querySelector("[aria-live]").textContent = text;
  };
  label(button.dataset.done, true);
  setTimeout(label, 2000, name, false);
});

// Any response but the check page (an expired form, a server error) is loaded as a page of its own.
document.addEventListener("htmx:responseError", (event) => {
  const form = event.target.closest("form");
  if (form) form.submit();
});

document.addEventListener("htmx:sendError", () => {
  const form = document.getElementById("check-form");
  document.getElementById("iban-problem").textContent = form.dataset.unreachable;
  document.getElementById("announcement").textContent = form.dataset.unreachable;
});

// The character counter of a text area. Screen readers do not announce it at every key.
const count = (text) => {
  const counter = document.querySelector(`[data-counts="${text.id}"]`);
  if (!counter) return;
  const numberFormat = new Intl.NumberFormat(document.documentElement.lang);
  const typed = [...text.value].length;
  counter.textContent = `${numberFormat.format(typed)} / ${numberFormat.format(counter.dataset.most)}`;
  counter.classList.toggle("over", typed > Number(counter.dataset.most));
};
document.addEventListener("input", (event) => count(event.target));
for (const text of document.querySelectorAll("textarea")) count(text);

// The account menu closes on Escape and on a click outside.
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector(".menu[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  const menu = document.querySelector(".menu[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});

// A form whose result is shown only once is sent once: the response to a second click would replace the first.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("once" in form.dataset)) return;
  if (form.dataset.once === "sent") event.preventDefault();
  form.dataset.once = "sent";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) form.dataset.once = "";
});
