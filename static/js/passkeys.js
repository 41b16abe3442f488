// Asks the browser for a passkey, or for a new one, and sends what it gives with the form. The forms are hidden where that is not possible.
"use strict";

(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const listed = (known) => (known ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  const toCreate = (asked) => ({
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: listed(asked.excludeCredentials),
  });

  const toGet = (asked) => ({
    ...asked,
    challenge: bytes(asked.challenge),
    allowCredentials: listed(asked.allowCredentials),
  });

  const told = (credential) => {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = text(credential.response[part]);
    }
    return {
      id: text(credential.rawId),
      rawId: text(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const show = (form, which) => {
    for (const one of form.querySelectorAll("[data-passkey-error]")) one.hidden = one.dataset.passkeyError !== which;
  };

  const ask = async (form) => {
    const answer = await fetch(form.dataset.question, {
      method: "POST",
      headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).publicKey;
  };

  const make = (form, asked) =>
    form.dataset.passkey === "create"
      ? navigator.credentials.create({ publicKey: toCreate(asked) })
      : navigator.credentials.get({ publicKey: toGet(asked) });

  const send = async (form) => {
    const button = form.querySelector("button");
    button.disabled = true;
    show(form, "");
    try {
      const asked = await ask(form).catch(() => null);
      if (!asked) return show(form, "away");
      const credential = await make(form, asked).catch(() => null);
      if (!credential) return show(form, "none");
      form.elements.credential.value = JSON.stringify(told(credential));
      form.submit();
    } finally {
      button.disabled = false;
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-passkey]");
    if (!form) return;
    event.preventDefault();
    send(form);
  });

  document.addEventListener("DOMContentLoaded", () => {
    if (!window.PublicKeyCredential) return;
    for (const form of document.querySelectorAll("[data-passkey]")) form.hidden = false;
  });
})();
