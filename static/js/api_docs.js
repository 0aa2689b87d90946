// The API documentation: one language for all samples, and the form to try a call. Nothing typed is stored.
"use strict";

document.addEventListener("change", (event) => {
  if (!event.target.matches(".pick input")) return;
  for (const input of document.querySelectorAll(`.pick input[value="${event.target.value}"]`)) input.checked = true;
});

const form = document.getElementById("try-form");
if (form) {
  const key = document.getElementById("try-key");
  const output = document.getElementById("try-answer");
  const reveal = document.getElementById("try-reveal");
  const send = form.querySelector("[type=submit]");
  form.hidden = false;

  reveal.addEventListener("click", () => {
    const shown = key.type === "password";
    key.type = shown ? "text" : "password";
    reveal.setAttribute("aria-pressed", String(shown));
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    output.textContent = form.dataset.waiting;
    try {
      await show(await ask());
    } catch {
      output.textContent = form.dataset.unreachable;
    } finally {
      send.disabled = false;
    }
  });

  const ask = () =>
    fetch(form.dataset.path, {
      method: "POST",
      headers: {
        // A header accepts no other characters; the API reports what is not a key.
        Authorization: `Bearer ${key.value.replace(/[^!-~]/g, "")}`,
        "Content-Type": "application/json",
        "Accept-Language": form.dataset.language,
        "X-No-Log": "1",
      },
      body: JSON.stringify({ iban: document.getElementById("try-iban").value }),
      credentials: "omit",
      cache: "no-store",
    });

  const show = async (response) => {
    const text = await response.text();
    const result = document.getElementById("try-result").content.cloneNode(true);
    const [status, body] = result.querySelectorAll("code");
    status.textContent = `${response.status} ${response.statusText}`;
    body.textContent = JSON.stringify(JSON.parse(text), null, 2);
    output.replaceChildren(result);
  };
}
