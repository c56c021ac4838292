// Secrets that are shown once: buttons that copy, download or print them. data-copies and data-downloads name an element.
(() => {
  const textOf = (name) => {
    const element = document.getElementById(name);
    if ("value" in element && element.matches("input, textarea")) return element.value;
    return [...element.querySelectorAll("code")].map((code) => code.textContent).join("\n");
  };
  const say = (message, level) => document.dispatchEvent(new CustomEvent("toast", { detail: { message, level } }));

  const copy = async (name) => {
    try {
      await navigator.clipboard.writeText(textOf(name));
      say("Copied.", "success");
    } catch {
      document.getElementById(name).select?.();
      say("This browser does not let pages copy. Mark the text and press Ctrl+C.", "warning");
    }
  };

  const download = (button) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([textOf(button.dataset.downloads), "\n"], { type: "text/plain" }));
    link.download = button.dataset.filename;
    link.click();
    URL.revokeObjectURL(link.href);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.copies) copy(button.dataset.copies);
    if (button?.dataset.downloads) download(button);
    if (button?.hasAttribute("data-prints")) window.print();
  });
})();
