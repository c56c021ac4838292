// Text left, evidence right: choosing a bullet (its button, a click on its line, arrow keys between buttons) leaves only the
// entries behind it. On a narrow screen the evidence moves under the chosen bullet. Without this every entry is shown.
(() => {
  const narrow = matchMedia("(max-width: 62rem)");
  const root = () => document.querySelector("[data-evidence]");
  const buttons = () => [...root().querySelectorAll("[data-shows-evidence]")];

  const place = (panel, bullet) => {
    const home = bullet && narrow.matches ? bullet : root();
    if (panel.parentElement !== home) home.append(panel);
  };

  const choose = (bullet) => {
    const panel = document.getElementById("evidence");
    const numbers = bullet ? bullet.dataset.bullet.trim().split(/\s+/) : null;
    let shown = 0;
    for (const source of panel.querySelectorAll("[data-source]")) {
      source.hidden = numbers !== null && !numbers.includes(source.dataset.source);
      if (!source.hidden) shown += 1;
    }
    for (const other of root().querySelectorAll("[data-bullet]")) {
      other.classList.toggle("is-chosen", other === bullet);
      other.querySelector("[data-shows-evidence]")?.setAttribute("aria-pressed", String(other === bullet));
    }
    const unused = panel.querySelector(".unused");
    if (unused) unused.hidden = Boolean(bullet);
    panel.querySelector("[data-shows-all]").hidden = !bullet;
    const said = panel.querySelector("[data-evidence-said]");
    said.dataset.all ??= said.textContent;
    said.textContent = bullet ? (shown === 1 ? "One entry behind this line, as it was then." : `${shown} entries behind this line, as they were then.`) : said.dataset.all;
    place(panel, bullet);
  };

  const toggle = (bullet) => choose(bullet.classList.contains("is-chosen") ? null : bullet);

  document.addEventListener("click", (event) => {
    if (!root()) return;
    if (event.target.closest("[data-shows-all]")) choose(null);
    const bullet = event.target.closest("[data-bullet]");
    const isSelecting = !getSelection().isCollapsed;
    if (!bullet || isSelecting || event.target.closest("a, .evidence")) return;
    if (bullet.querySelector("[data-shows-evidence]")) toggle(bullet);
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches("[data-shows-evidence]")) return;
    event.preventDefault();
    const all = buttons();
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    next.focus();
    choose(next.closest("[data-bullet]"));
  });

  const begin = () => {
    if (root()) for (const button of buttons()) button.hidden = false;
  };
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
