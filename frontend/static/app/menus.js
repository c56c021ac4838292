// Menus made of <details>, and the drawer of narrow screens: closed by Escape, by a click elsewhere, by leaving with Tab.
(() => {
  const root = document.documentElement;
  const sidebar = document.getElementById("sidebar");
  const toggle = document.querySelector('[aria-controls="sidebar"]');
  const openMenus = () => document.querySelectorAll("details[data-menu][open]");
  const isNavOpen = () => root.dataset.nav === "open";

  const setNav = (isOpen) => {
    root.dataset.nav = isOpen ? "open" : "closed";
    toggle.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) sidebar.querySelector("a").focus();
  };

  const leave = (target) => {
    for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
    if (isNavOpen() && !sidebar.contains(target) && !toggle.contains(target)) setNav(false);
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-toggles-nav]")) {
      setNav(!isNavOpen());
      if (!isNavOpen()) toggle.focus();
      return;
    }
    leave(event.target);
  });
  document.addEventListener("focusin", (event) => leave(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    if (isNavOpen()) {
      setNav(false);
      toggle.focus();
    }
  });
})();
