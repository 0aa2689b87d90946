// Passkeys: asks the browser and puts the result into the form. It stores nothing and sends nothing by itself.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBinaryIds = (credentials) => (credentials || []).map((credential) => ({ ...credential, id: bytes(credential.id) }));

// The server's options contain bytes as base64url; the browser API expects bytes.
const forCreation = (options, passwordless) => ({
  ...options,
  challenge: bytes(options.challenge),
  user: { ...options.user, id: bytes(options.user.id) },
  excludeCredentials: withBinaryIds(options.excludeCredentials),
  authenticatorSelection: {
    ...options.authenticatorSelection,
    residentKey: passwordless ? "required" : "discouraged",
    requireResidentKey: passwordless,
    userVerification: passwordless ? "required" : options.authenticatorSelection.userVerification,
  },
});
const forRequest = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  allowCredentials: withBinaryIds(options.allowCredentials),
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

const pageOptions = () => JSON.parse(document.getElementById("passkey-options").textContent).publicKey;
const fetchOptions = async (url) => {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(response.statusText);
  return (await response.json()).request_options.publicKey;
};
const ceremonies = {
  create: (form) =>
    navigator.credentials.create({ publicKey: forCreation(pageOptions(), form.elements.passwordless.checked) }),
  get: () => navigator.credentials.get({ publicKey: forRequest(pageOptions()) }),
  "sign-in": async (form) => navigator.credentials.get({ publicKey: forRequest(await fetchOptions(form.action)) }),
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
      // Closed, timed out, or not allowed: the browser does not report which.
      problem.textContent = problem.dataset.unfinished;
      button.disabled = false;
    }
  });
}
