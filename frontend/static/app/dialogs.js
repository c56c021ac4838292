// Dialogs are <dialog>: the browser keeps the focus inside and gives it back. This opens and closes them.
(() => {
  const slot = document.getElementById("modal-slot");
  let opener = null;

  const giveFocusBack = () => {
    if (opener?.isConnected && document.activeElement === document.body) opener.focus();
    opener = null;
  };

  const open = (dialog) => {
    if (dialog.open) return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-opens]");
    if (opens) {
      // A link with data-opens leads to the same question as a page of its own, for browsers without scripts.
      event.preventDefault();
      opener = opens.closest("details[data-menu]")?.querySelector("summary") || opens;
      open(document.getElementById(opens.dataset.opens));
    }
    if (event.target.closest("[data-closes-dialog]")) event.target.closest("dialog").close();
  });

  // What arrives in the slot is a dialog, and opens. A form in it that comes back with errors replaces it and stays open.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === slot && !slot.contains(event.detail.elt)) opener = event.detail.elt;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== slot) return;
    const dialog = slot.querySelector("dialog");
    if (dialog) open(dialog);
  });
  document.addEventListener("close", (event) => {
    if (slot?.contains(event.target)) slot.replaceChildren();
    giveFocusBack();
  }, true);
  // The server says `HX-Trigger: close-modal` when the work of the dialog is done.
  document.addEventListener("close-modal", () => slot?.querySelector("dialog")?.close());
})();
