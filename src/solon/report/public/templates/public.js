"use strict";
// Filters and orders the table of statements. The page says everything without it.
(() => {
  const table = document.getElementById("statement-table");
  const form = document.getElementById("statement-filter");
  if (!table || !form) return;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, text: row.cells[0].textContent.toLocaleLowerCase() }));
  const words = document.getElementById("statement-words");
  const order = document.getElementById("statement-order");
  const count = document.getElementById("statement-count");
  const show = () => {
    const wanted = words.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, text } of rows) {
      row.hidden = !wanted.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    count.textContent = count.dataset.said.replace("{shown}", shown).replace("{all}", rows.length);
  };
  const sort = () => {
    const key = order.value;
    const sign = key === "id" ? 1 : -1;
    const value = ({ row }) => Number(row.dataset[key] === "" ? -1 : row.dataset[key]);
    rows.sort((a, b) => sign * (value(a) - value(b)) || Number(a.row.dataset.id) - Number(b.row.dataset.id));
    body.append(...rows.map(({ row }) => row));
  };
  words.addEventListener("input", show);
  order.addEventListener("change", sort);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  show();
})();
