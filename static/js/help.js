// Copies, prints and shows what stands on the page. The buttons are hidden where scripts do not run.
"use strict";

(() => {
  const buttons = "[data-copy], [data-print], [data-reveal]";
  const unhide = () => {
    for (const one of document.querySelectorAll(buttons)) one.hidden = false;
  };

  const copied = (button) => {
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 2000);
    const region = document.getElementById("spoken");
    if (region) region.textContent = button.dataset.copy;
  };

  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const area = document.createElement("textarea");
      area.value = button.dataset.copy;
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    copied(button);
  };

  const reveal = (button) => {
    const field = document.getElementById(button.dataset.reveal);
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(buttons);
    if (!button) return;
    if (button.dataset.copy !== undefined) copy(button);
    else if (button.dataset.print !== undefined) print();
    else reveal(button);
  });

  document.addEventListener("htmx:afterSwap", unhide);
  document.addEventListener("DOMContentLoaded", unhide);
})();
