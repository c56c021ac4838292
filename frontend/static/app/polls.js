// Elements with data-poll ask for themselves every few seconds, by htmx. In a hidden tab they stay quiet.
(() => {
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.matches("[data-poll]")) event.preventDefault();
  });
})();
