// Keeps "3 min ago" true while the page stays open. The server has written the first text.
(() => {
  const EVERY_MS = 15000;
  const words = (seconds) => {
    if (seconds < 45) return "just now";
    if (seconds < 45 * 60) return `${Math.max(Math.round(seconds / 60), 1)} min ago`;
    if (seconds < 22 * 3600) return `${Math.max(Math.round(seconds / 3600), 1)} h ago`;
    return null;
  };
  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const text = words((Date.now() - Date.parse(time.dateTime)) / 1000);
      if (text && time.textContent !== text) time.textContent = text;
    }
  }, EVERY_MS);
})();
