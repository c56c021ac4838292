// The status bar polls by htmx at the pace that its fragment names. This keeps a hidden tab quiet, waits longer while this
// site itself cannot be reached, and tells screen readers only what has changed in kind.
(() => {
  const BACK_OFF_S = [30, 60, 120];
  let failures = 0;
  let quietUntil = 0;
  let announced = null;
  const isBar = (element) => element?.id === "status-bar";

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isBar(event.detail.elt)) return;
    if (document.hidden || Date.now() < quietUntil) event.preventDefault();
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (!isBar(event.detail.elt)) return;
    const wait = BACK_OFF_S[Math.min(failures, BACK_OFF_S.length - 1)];
    failures += 1;
    // A little less than the wait, so that the poll at its end is let through.
    quietUntil = Date.now() + wait * 1000 - 500;
    event.detail.elt.classList.add("is-stale");
    announce("The connection is lost; the status shows the last known values.");
  });
  document.addEventListener("htmx:load", (event) => {
    const bar = isBar(event.detail.elt) ? event.detail.elt : null;
    if (!bar) return;
    failures = 0;
    quietUntil = 0;
    announce(bar.dataset.announce);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.body.dispatchEvent(new CustomEvent("tab-shown"));
  });

  function announce(text) {
    const region = document.getElementById("status-announcer");
    if (announced !== null && announced !== text && region) region.textContent = text;
    announced = text;
  }
})();
