// A form that was held back while its sender proved who they are: it goes on by itself, the button is for when it cannot.
(() => {
  document.addEventListener("DOMContentLoaded", () => document.querySelector("form[data-continues]")?.requestSubmit());
})();
