// On a narrow screen a table of text shows each row as a block (see site.css), in which
// each cell has its column's name. A table of numbers stays a table.
addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.docutils")) {
    const names = [...table.querySelectorAll("thead th")].map((th) => th.innerText);
    if (names.length < 2 || table.querySelector("td.text-right")) continue;
    table.classList.add("of-text");
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, i) => {
        cell.dataset.column = cell.innerText.trim() ? names[i] : "";
      });
    }
  }
});
