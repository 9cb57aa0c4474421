/* Order entry by arrows: from the item field down into what was found, up and down there, Escape back. */
(() => {
  "use strict";
  let from = null;
  const picks = () => [...document.querySelectorAll("#lookup .pick")];
  document.addEventListener("keydown", (event) => {
    const list = picks();
    if (!list.length) return;
    const at = list.indexOf(document.activeElement);
    const inItem = event.target.matches("[data-item]");
    if (event.key === "ArrowDown" && (inItem || at >= 0)) {
      if (inItem) from = event.target;
      event.preventDefault();
      list[Math.min(at + 1, list.length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      if (at === 0 && from) from.focus(); else list[Math.max(at - 1, 0)].focus();
    } else if (event.key === "Escape" && at >= 0 && from) from.focus();
  });
})();
