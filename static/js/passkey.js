// Passkeys: asks the browser and puts its answer into the form. Keeps nothing and sends nothing by itself.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (credentials) => (credentials || []).map((one) => ({ ...one, id: bytes(one.id) }));

// The server's options carry bytes as base64url; the browser wants them as bytes.
const forCreation = (options, alone) => ({
  ...options,
  challenge: bytes(options.challenge),
  user: { ...options.user, id: bytes(options.user.id) },
  excludeCredentials: named(options.excludeCredentials),
  authenticatorSelection: {
    ...options.authenticatorSelection,
    residentKey: alone ? "required" : "discouraged",
    requireResidentKey: alone,
    userVerification: alone ? "required" : options.authenticatorSelection.userVerification,
  },
});
const forRequest = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  allowCredentials: named(options.allowCredentials),
});

const asText = (credential) => {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = text(credential.response[part]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
};

const waiting = () => JSON.parse(document.getElementById("passkey-options").textContent).publicKey;
const asked = async (address) => {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.statusText);
  return (await answer.json()).request_options.publicKey;
};
const ceremonies = {
  create: (form) =>
    navigator.credentials.create({ publicKey: forCreation(waiting(), form.elements.passwordless.checked) }),
  get: () => navigator.credentials.get({ publicKey: forRequest(waiting()) }),
  "sign-in": async (form) => navigator.credentials.get({ publicKey: forRequest(await asked(form.action)) }),
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  const button = form.querySelector("button");
  const problem = form.querySelector("[data-unfinished]");
  form.addEventListener("submit", (event) => {
    if (!form.elements.credential.value) {
      event.preventDefault();
      button.click();
    }
  });
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.textContent = "";
    try {
      form.elements.credential.value = asText(await ceremonies[form.dataset.passkey](form));
      form.submit();
    } catch {
      // Closed, timed out, or not allowed: the browser does not say which, and neither do we.
      problem.textContent = problem.dataset.unfinished;
      button.disabled = false;
    }
  });
}
