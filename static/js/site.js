// Makes pages nicer; every page works without it. No number typed into a page is kept anywhere.
"use strict";

document.documentElement.classList.add("js");

// Copy buttons say on the button itself that the text is copied.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const name = button.title;
  if (name === button.dataset.done) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const say = (words, done) => {
    button.classList.toggle("done", done);
    button.title = button.querySelector("[aria-live]").textContent = words;
  };
  say(button.dataset.done, true);
  setTimeout(say, 2000, name, false);
});

// An answer that is not the check page (an expired form, a server in trouble) is shown as the server wrote it.
document.addEventListener("htmx:responseError", (event) => {
  const form = event.target.closest("form");
  if (form) form.submit();
});

document.addEventListener("htmx:sendError", () => {
  const form = document.getElementById("check-form");
  document.getElementById("iban-problem").textContent = form.dataset.unreachable;
  document.getElementById("announcement").textContent = form.dataset.unreachable;
});

// How much is typed, beside how much there may be. It is not read out at every key.
const count = (text) => {
  const counter = document.querySelector(`[data-counts="${text.id}"]`);
  if (!counter) return;
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const typed = [...text.value].length;
  counter.textContent = `${number.format(typed)} / ${number.format(counter.dataset.most)}`;
  counter.classList.toggle("over", typed > Number(counter.dataset.most));
};
document.addEventListener("input", (event) => count(event.target));
for (const text of document.querySelectorAll("textarea")) count(text);

// The account menu closes with Escape and with a click beside it.
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

// What is shown once must not be made twice: the answer to a second click would take the place of the first.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("once" in form.dataset)) return;
  if (form.dataset.once === "sent") event.preventDefault();
  form.dataset.once = "sent";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) form.dataset.once = "";
});
