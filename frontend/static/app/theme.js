// Runs before the first paint: the theme and the sidebar's width are known before anything is drawn.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private mode: for this page only */ } };
  let choice = stored("theme") || "system";

  const apply = () => {
    root.dataset.bsTheme = choice === "system" ? (system.matches ? "dark" : "light") : choice;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  };

  root.classList.add("js");
  if (stored("sidebar") === "narrow") root.dataset.sidebar = "narrow";
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-theme-choice]");
    if (chosen) {
      choice = chosen.dataset.themeChoice;
      store("theme", choice);
      apply();
    }
    if (event.target.closest("[data-toggles-sidebar]")) {
      const isNarrow = root.dataset.sidebar !== "narrow";
      root.dataset.sidebar = isNarrow ? "narrow" : "wide";
      store("sidebar", root.dataset.sidebar);
    }
  });
})();
