// The keyboard: n, /, ?, "g" and a letter, Ctrl+Enter. Single keys can be switched off for speech control and the like.
(() => {
  const GO_WITHIN_MS = 1500;
  let goUntil = 0;
  const stored = () => { try { return localStorage.getItem("single-keys"); } catch { return null; } };
  const isTyping = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

  const go = (key) => document.querySelector(`a[data-go="${CSS.escape(key)}"]`)?.click();
  const single = {
    n: () => document.getElementById("quick-add")?.click(),
    "/": () => document.getElementById("search")?.focus(),
    "?": () => document.getElementById("shortcuts")?.showModal(),
    g: () => { goUntil = Date.now() + GO_WITHIN_MS; },
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest("form");
      if (form) { event.preventDefault(); form.requestSubmit(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || stored() === "off") return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (Date.now() < goUntil) { goUntil = 0; event.preventDefault(); go(event.key); return; }
    const action = single[event.key];
    if (action) { event.preventDefault(); action(); }
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const toggle of document.querySelectorAll("[data-single-keys]")) {
      toggle.checked = stored() !== "off";
      toggle.addEventListener("change", () => {
        try { localStorage.setItem("single-keys", toggle.checked ? "on" : "off"); } catch { /* for this page only */ }
      });
    }
  });
})();
