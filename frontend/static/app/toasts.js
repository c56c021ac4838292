// Toasts: the event `toast` (from HX-Trigger) has message, level and perhaps undo_url and link_url. Errors stay until dismissed.
(() => {
  const STAYS_MS = 6000;
  const UNDO_STAYS_MS = 12000;
  const ICONS = { success: "circle-check", warning: "alert-triangle", danger: "alert-circle", info: "info-circle" };
  const region = () => document.getElementById("toasts");

  const expire = (toast, after) => {
    let timer = setTimeout(() => toast.remove(), after);
    for (const pause of ["mouseenter", "focusin"]) toast.addEventListener(pause, () => clearTimeout(timer));
    for (const resume of ["mouseleave", "focusout"]) {
      toast.addEventListener(resume, () => { clearTimeout(timer); timer = setTimeout(() => toast.remove(), after); });
    }
  };

  const undoButton = (toast, detail) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-secondary";
    button.textContent = detail.undo_label || "Undo";
    button.addEventListener("click", () => {
      toast.remove();
      window.htmx.ajax("POST", detail.undo_url, { source: document.body, target: document.body, swap: "none" });
    });
    return button;
  };

  const link = (detail) => {
    const anchor = document.createElement("a");
    anchor.className = "btn btn-sm btn-ghost";
    anchor.href = detail.link_url;
    anchor.textContent = detail.link_label;
    return anchor;
  };

  const show = (detail) => {
    const template = document.getElementById("toast-template");
    if (!template) return;
    const toast = template.content.firstElementChild.cloneNode(true);
    const level = detail.level || "info";
    toast.className = `note tone-${level}`;
    const sprite = toast.querySelector("use");
    sprite.setAttribute("href", sprite.getAttribute("href").replace(/#.*/, `#${ICONS[level]}`));
    toast.querySelector("p").textContent = detail.message;
    if (detail.link_url) toast.querySelector("p").after(link(detail));
    if (detail.undo_url) toast.querySelector("p").after(undoButton(toast, detail));
    region().append(toast);
    if (level !== "danger") expire(toast, detail.undo_url ? UNDO_STAYS_MS : STAYS_MS);
  };

  document.addEventListener("toast", (event) => show(event.detail));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismisses-toast]")) event.target.closest("[data-toast]").remove();
  });
  document.addEventListener("htmx:sendError", (event) => {
    // What asks by itself would say it again and again.
    if (!event.detail.elt.matches("#status-bar, [data-poll]")) show({ level: "danger", message: "There is no connection. Try again in a moment." });
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (!event.detail.xhr.getResponseHeader("HX-Trigger")) {
      show({ level: "danger", message: "That did not work. Nothing was changed; try once more." });
    }
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const toast of region()?.querySelectorAll("[data-toast]:not(.tone-danger)") ?? []) expire(toast, STAYS_MS);
  });
})();
