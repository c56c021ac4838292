// The choice of entries for a report: select all or none of those shown, search within them, count them. The server prices
// the choice whenever the list says `change`.
(() => {
  const list = () => document.querySelector("[data-choice]");
  const rows = () => [...list().querySelectorAll("[data-choice-row]")];
  const box = (row) => row.querySelector("input[type=checkbox]");

  const count = () => {
    const all = rows();
    const said = list().querySelector("[data-choice-count]");
    said.textContent = `${all.filter((row) => box(row).checked).length} of ${all.length} chosen`;
  };

  const setShown = (isChecked) => {
    for (const row of rows()) if (!row.hidden) box(row).checked = isChecked;
    list().dispatchEvent(new Event("change", { bubbles: true }));
  };

  const begin = () => {
    if (!list()) return;
    list().querySelector("[data-choice-tools]").hidden = false;
    count();
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-choice-all]")) setShown(true);
    if (event.target.closest("[data-choice-none]")) setShown(false);
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-choice-search]")) return;
    const wanted = event.target.value.trim().toLowerCase();
    for (const row of rows()) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  // Typing into the search is no change of the choice.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choice-search]")) event.stopPropagation();
    else if (list()?.contains(event.target)) count();
    // A day typed by hand means other days than the named ones.
    if (event.target.closest("[data-chooses-custom]")) document.getElementById("id_period").value = "custom";
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.target.matches("[data-choice-search]")) event.preventDefault();
  });
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
