"use strict";
// One button opens and closes the source of every cell.
(() => {
  const button = document.getElementById("toggle-code");
  const cells = document.querySelectorAll("details.code");
  if (!button || !cells.length) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(open));
    for (const cell of cells) cell.open = open;
  });
})();

// Tables sort by their header: numbers as numbers, missing values last in either direction.
(() => {
  const MISSING = new Set(["", "-", "–", "—", "nan", "nat", "none", "null", "<na>"]);
  const isMissing = (text) => MISSING.has(text.toLowerCase());
  const amount = (text) => Number(text.replace(/[\s,%$€£¥+]/g, "").replace("−", "-"));
  const words = new Intl.Collator("en", { numeric: true });

  const sortRows = (body, column, direction) => {
    const keyed = [...body.rows].map((row) => ({ row, text: row.cells[column].textContent.trim() }));
    const numeric = keyed.every(({ text }) => isMissing(text) || !Number.isNaN(amount(text)));
    const compare = numeric ? (a, b) => amount(a) - amount(b) : words.compare;
    keyed.sort((a, b) => isMissing(a.text) - isMissing(b.text) || direction * compare(a.text, b.text) || 0);
    body.append(...keyed.map(({ row }) => row));
  };

  const makeSortable = (table) => {
    const headers = [...table.tHead.rows[0].cells];
    for (const [column, header] of headers.entries()) {
      if (header.tagName !== "TH") continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const ascending = header.getAttribute("aria-sort") !== "ascending";
        for (const other of headers) other.removeAttribute("aria-sort");
        header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        for (const body of table.tBodies) sortRows(body, column, ascending ? 1 : -1);
      });
    }
  };
  document.querySelectorAll("table.sortable").forEach(makeSortable);
})();
