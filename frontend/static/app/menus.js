// Menus made of <details>, and the navigation of narrow screens: closed by Escape, by a click elsewhere, by leaving.
(() => {
  const root = document.documentElement;
  const openMenus = () => document.querySelectorAll("details[data-menu][open]");

  const setNav = (isOpen) => {
    root.dataset.nav = isOpen ? "open" : "closed";
    document.querySelector("[data-toggles-nav]")?.setAttribute("aria-expanded", String(isOpen));
  };

  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
    if (event.target.closest("[data-toggles-nav]")) setNav(root.dataset.nav !== "open");
  });
  document.addEventListener("focusin", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (root.dataset.nav === "open") {
      setNav(false);
      document.querySelector("[data-toggles-nav]").focus();
    }
  });
})();
