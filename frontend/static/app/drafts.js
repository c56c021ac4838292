// What was typed into a form outlives a session that died: kept in this tab for this person, put back after sign-in, gone
// once it is sent, on log-out, and when somebody else signs in. Passwords, codes and files are never kept.
//
// A draft is "typing", "sent" (on its way; the next page is the answer) or "kept" (a page in between said that it was no
// answer: the sign-in, or a failure). Only kept ones are put back.
(() => {
  const LASTS_MS = 12 * 3600 * 1000;
  const person = document.body.dataset.person;
  const prefix = `draft:${person}:`;
  const LEFT_OUT = "[type=password], [type=hidden], [type=file], [type=submit], [type=button], [autocomplete=one-time-code], [data-no-draft]";

  const store = (() => { try { return window.sessionStorage; } catch { return null; } })();
  if (!store) return;
  const keys = () => Object.keys(store).filter((key) => key.startsWith("draft:"));
  const read = (key) => { try { return JSON.parse(store.getItem(key)); } catch { return null; } };
  const write = (key, draft) => { try { store.setItem(key, JSON.stringify(draft)); } catch { /* full: this one is not kept */ } };
  const forgetAll = () => { for (const key of keys()) store.removeItem(key); };

  const pathOf = (form) => new URL(form.getAttribute("action") || location.href, location.href).pathname;
  const keyOf = (form) => `${prefix}${pathOf(form)}#${form.id}`;
  const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.matches("input, textarea, select") && !field.matches(LEFT_OUT));
  const isKept = (form) => form?.matches?.('form[method="post" i]:not([data-no-draft])') && fieldsOf(form).length > 0;
  const isTicked = (field) => field.type === "checkbox" || field.type === "radio";
  const valueOf = (field) => {
    if (isTicked(field)) return field.checked;
    return field.multiple && field.options ? [...field.selectedOptions].map((option) => option.value) : field.value;
  };

  const keep = (form, state) => {
    const values = fieldsOf(form).map((field) => [field.name, valueOf(field)]);
    write(keyOf(form), { state, values, path: pathOf(form), isAway: Boolean(form.closest("#modal-slot")), at: Date.now() });
  };

  const putBack = (form, draft) => {
    const rest = [...draft.values];
    for (const field of fieldsOf(form)) {
      const found = rest.findIndex(([name]) => name === field.name);
      if (found < 0) continue;
      const [[, value]] = rest.splice(found, 1);
      if (isTicked(field)) field.checked = value;
      else if (Array.isArray(value)) for (const option of field.options) option.selected = value.includes(option.value);
      else field.value = value;
    }
    keep(form, "typing");
    form.elements[0]?.dispatchEvent(new Event("input", { bubbles: true }));
    say({ message: "What you had typed is back. It is not sent yet." });
  };

  const say = (detail) => document.dispatchEvent(new CustomEvent("toast", { detail: { level: "info", ...detail } }));

  const restoreIn = (root) => {
    for (const form of root.querySelectorAll("form")) {
      const draft = isKept(form) ? read(keyOf(form)) : null;
      if (draft?.state === "kept") putBack(form, draft);
    }
  };

  const begin = () => {
    const isNoAnswer = document.querySelector("[data-keeps-drafts]") !== null;
    for (const key of keys()) {
      const draft = read(key);
      if (!draft || Date.now() - draft.at > LASTS_MS || (person && !key.startsWith(prefix))) store.removeItem(key);
      else if (isNoAnswer) write(key, { ...draft, state: "kept", isTold: false });
      else if (draft.state === "sent") store.removeItem(key);
    }
    if (!person || isNoAnswer) return;
    restoreIn(document);
    // Once: it comes back by itself whenever the same form is opened.
    const away = keys().find((key) => { const draft = read(key); return draft.state === "kept" && draft.isAway && !draft.isTold; });
    if (!away) return;
    const draft = read(away);
    write(away, { ...draft, isTold: true });
    say({ message: "What you had typed is kept.", link_url: draft.path, link_label: "Open it" });
  };

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (person && isKept(form) && !event.target.matches(LEFT_OUT)) keep(form, "typing");
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (pathOf(form) === "/accounts/logout/") forgetAll();
    if (form.matches("[data-continues]")) {
      for (const key of keys()) if (read(key)?.path === pathOf(form)) write(key, { ...read(key), state: "sent" });
    }
    // htmx sends by itself and has its own answer below.
    if (!event.defaultPrevented && person && isKept(form)) keep(form, "sent");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr } = event.detail;
    if (!person || !isKept(elt) || !xhr) return;
    const isDone = xhr.status >= 200 && xhr.status < 300 && !(xhr.getResponseHeader("HX-Redirect") || "").startsWith("/accounts/");
    if (isDone) store.removeItem(keyOf(elt));
  });
  document.addEventListener("htmx:load", (event) => { if (person && event.detail.elt !== document.body) restoreIn(event.detail.elt); });
  document.addEventListener("DOMContentLoaded", begin);
})();
