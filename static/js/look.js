// Appearance and time zone: both are cookies, so that the next page comes from the server as it should look.
"use strict";

(() => {
  const root = document.documentElement;
  const keep = (name, value, seconds) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}`;
  };

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) keep("zone", zone, 31536000);

  const choices = document.querySelectorAll("[data-theme-choice]");
  const show = () => {
    for (const choice of choices) {
      choice.setAttribute("aria-pressed", choice.dataset.themeChoice === (root.dataset.theme || "system"));
    }
  };
  for (const choice of choices) {
    choice.addEventListener("click", () => {
      const theme = choice.dataset.themeChoice;
      if (theme === "system") delete root.dataset.theme;
      else root.dataset.theme = theme;
      keep("theme", theme, theme === "system" ? 0 : 31536000);
      show();
    });
  }
  document.querySelector(".appearance")?.removeAttribute("hidden");
  show();
})();
