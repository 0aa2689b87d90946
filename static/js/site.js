// Makes pages nicer; every page works without it. No number typed into a page is kept anywhere.
"use strict";

document.documentElement.classList.add("js");

// Copy buttons say on the button itself that the text is copied.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector(".unseen");
  const name = label.textContent;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("done");
  label.textContent = button.dataset.done;
  setTimeout(() => {
    button.classList.remove("done");
    label.textContent = name;
  }, 2000);
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
