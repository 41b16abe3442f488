// Parts of a page ask again: as soon as the server said, only while the page is seen, and more rarely when it fails.
"use strict";

(() => {
  const timers = new Map();
  const asking = new Set();
  let failures = 0;
  let open = [];
  let focused = "";

  const parts = () => document.querySelectorAll("[data-live]");
  const says = new Map();

  const look = (part) => {
    timers.delete(part);
    if (!part.isConnected || document.hidden || asking.has(part)) return;
    asking.add(part);
    part.dispatchEvent(new CustomEvent("look"));
  };

  const plan = () => {
    for (const part of timers.keys()) if (!part.isConnected) timers.delete(part);
    for (const part of parts()) {
      if (!says.has(part.id)) says.set(part.id, part.dataset.says);
      if (timers.has(part) || asking.has(part)) continue;
      const wait = Number(part.dataset.poll) * 1000 * 2 ** Math.min(failures, 3);
      timers.set(part, setTimeout(look, wait, part));
    }
  };

  const tell = (part) => {
    const now = part.dataset.says;
    if (!now || says.get(part.id) === now) return;
    says.set(part.id, now);
    const region = document.getElementById("spoken");
    if (region) region.textContent = now;
  };

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const { etag } = detail.elt.dataset;
    if (etag) detail.headers["If-None-Match"] = `"${etag}"`;
  });

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    open = [...detail.target.querySelectorAll("details[open][id]")].map((one) => one.id);
    focused = detail.target.contains(document.activeElement) ? document.activeElement.id : "";
  });

  document.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    for (const part of parts()) tell(part);
  });

  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const asked = detail.requestConfig.elt; // detail.elt is another one once the part was replaced
    asking.delete(asked);
    const { status } = detail.xhr;
    const fine = status === 304 || (status >= 200 && status < 400);
    if (asked.matches("[data-live]")) failures = fine ? 0 : failures + 1;
    const stale = document.getElementById("stale");
    if (stale) stale.hidden = failures < 2;
    plan();
  });

  document.addEventListener("htmx:load", plan);

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const part of parts()) {
      clearTimeout(timers.get(part));
      look(part);
    }
  });

  document.addEventListener("DOMContentLoaded", plan);
})();
