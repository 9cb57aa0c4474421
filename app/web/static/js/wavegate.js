/* Comfort on top of pages that work without it: theme, keys, drafts, double submits, polling notices. */
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const typing = (el) => el.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;

  /* Theme: the server reads the cookie, so the next page comes in the right colours at once. */
  const dark = () => root.dataset.bsTheme
    ? root.dataset.bsTheme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  all("[data-theme-toggle]").forEach((button) => {
    const tell = () => button.setAttribute("aria-pressed", String(dark()));
    button.hidden = false;
    tell();
    button.addEventListener("click", () => {
      root.dataset.bsTheme = dark() ? "light" : "dark";
      document.cookie = `wavegate-theme=${root.dataset.bsTheme}; path=/; max-age=31536000; samesite=lax`;
      tell();
    });
  });

  /* Open menus close on Escape and on a click elsewhere. */
  const menus = () => all("details.menu[open], details.drawer[open]");
  document.addEventListener("click", (event) =>
    menus().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));

  /* Keys: / search, ? help, j k rows, x mark, Enter open, Ctrl+Enter the page's one filled button. */
  const rows = () => all("table[data-keys] tbody tr:not(.group)");
  let at = -1;
  const go = (step) => {
    const list = rows();
    if (!list.length) return;
    list.forEach((row) => row.classList.remove("at"));
    at = Math.min(Math.max(at + step, 0), list.length - 1);
    list[at].classList.add("at");
    const link = list[at].querySelector("a[href]");
    if (link) link.focus({ preventScroll: true });
    list[at].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      menus().forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const button = document.querySelector("main .btn-primary[type=submit], .castbar .btn-primary");
      if (button) { event.preventDefault(); button.click(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") {
      const field = document.querySelector("[data-search]");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    } else if (event.key === "?") {
      const help = document.querySelector("#keys");
      if (help && !help.open) help.showModal();
    } else if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "x" && at >= 0) {
      const box = rows()[at] && rows()[at].querySelector("input[type=checkbox]");
      if (box) box.click();
    }
  });

  /* Filters that apply when changed; without script their form has its button. */
  document.addEventListener("change", (event) => {
    const el = event.target;
    if (el.matches("[data-autosubmit]")) el.form.requestSubmit();
    if (el.matches("[data-check-all]"))
      all(`input[name="${el.dataset.checkAll}"]`, el.closest("table") || document).forEach((box) => { box.checked = el.checked; });
    const cast = el.matches("input[type=radio][data-cast]") && document.querySelector("[data-cast-button]");
    if (cast) cast.textContent = el.dataset.cast;
  });
  const chosen = document.querySelector("input[type=radio][data-cast]:checked");
  const castButton = document.querySelector("[data-cast-button]");
  if (chosen && castButton) castButton.textContent = chosen.dataset.cast;

  /* On pages for the thumb: what is no quantity is said beside the field while it is typed, in the words it would be refused with. */
  const numberWords = document.querySelector("meta[name=number-words]");
  const wrongNumber = (typed, places) => {
    if (!typed) return "";
    if (!/^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?$/.test(typed)) return "none";
    const [whole, part] = typed.replace(/^[+-]/, "").split(".");
    if (whole.replace(/^0+/, "").length > 9) return "huge";
    if ((part || "").replace(/0+$/, "").length > places) return "fine";
    return typed.startsWith("-") && Number(typed) ? "below" : "";
  };
  const judgeNumber = (el) => {
    const typed = el.value.trim(), found = wrongNumber(typed, Number(el.dataset.places));
    const why = found === "below" && "signed" in el.dataset ? "" : found;
    const beside = el.closest(".with-unit") || el, id = `${el.id}-typed`;
    let said = document.getElementById(id);
    if (!said) {
      said = Object.assign(document.createElement("p"), { id, className: "error" });
      said.setAttribute("role", "status");
      beside.after(said);
    }
    said.textContent = why ? JSON.parse(numberWords.content)[why].replace("{value}", typed) : "";
    el.classList.toggle("is-invalid", Boolean(why));
    el.setAttribute("aria-invalid", String(Boolean(why)));
  };
  if (numberWords) {
    document.addEventListener("input", (event) => { if (event.target.matches("input[data-places]")) judgeNumber(event.target); });
    /* Whoever is quicker than the page typed before anybody listened. */
    all("input[data-places]").filter((el) => el.value !== el.defaultValue).forEach(judgeNumber);
  }

  /* The next scan takes the place of what was refused: a scanner cannot clear a field. */
  const takeNext = (el) => { if (el && el.matches("[data-scan]")) el.select(); };
  document.addEventListener("focusin", (event) => takeNext(event.target));
  takeNext(document.activeElement);

  /* A form is sent once; what was typed is not lost by leaving. */
  const unsaved = new Set();
  document.addEventListener("input", (event) => {
    if (event.target.form && event.target.form.matches("[data-guard]")) unsaved.add(event.target.form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.classList.contains("sending")) { event.preventDefault(); return; }
    unsaved.delete(form);
    if (form.method === "post" && !form.matches("[hx-post]")) form.classList.add("sending");
  });
  window.addEventListener("beforeunload", (event) => { if ([...unsaved].some((form) => form.isConnected)) event.preventDefault(); });
  window.addEventListener("pageshow", () => all("form.sending").forEach((form) => form.classList.remove("sending")));

  /* Messages go away when asked; text is copied when asked. */
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-dismiss]");
    if (close) close.closest(".flash").remove();
    const shut = event.target.closest("[data-close]");
    if (shut) shut.closest("dialog").close();
    const help = event.target.closest("[data-keys-help]");
    if (help) document.querySelector("#keys").showModal();
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) navigator.clipboard.writeText(copy.dataset.copy);
  });
  all("[data-script-only]").forEach((el) => { el.hidden = false; });

  /* Parts that refresh themselves say when they cannot. */
  document.addEventListener("htmx:sendError", () => document.body.classList.add("offline"));
  document.addEventListener("htmx:afterOnLoad", () => document.body.classList.remove("offline"));
  document.addEventListener("htmx:responseError", (event) => {
    const place = document.querySelector("[data-toasts]");
    if (!place) return;
    const note = document.createElement("p");
    note.className = "flash fail";
    const text = document.createElement("span");
    text.textContent = `The server refused this (${event.detail.xhr.status}). Nothing was changed; load the page again.`;
    note.append(text);
    place.replaceChildren(note);
  });
})();
