// Filters the ranked actions, keeps those that fit a budget of contacts, and ranks them by the reader's assumptions.
(() => {
  "use strict";
  const tool = document.querySelector(".act");
  const form = tool?.querySelector(".act-filters");
  if (!form) return;
  const body = tool.querySelector(".act-table tbody");
  let rows = [...body.rows];
  const names = ["slot", "segment", "channel", "effort"];
  const budget = form.elements.namedItem("budget");
  const count = tool.querySelector(".act-count");
  const sort = tool.querySelector(".act-sort");
  const number = new Intl.NumberFormat(tool.dataset.locale, { maximumFractionDigits: 0 });

  const show = () => {
    const limit = budget.value === "" ? Infinity : Math.max(0, Number(budget.value));
    let spent = 0;
    let shown = 0;
    let fitting = 0;
    for (const row of rows) {
      const fits = names.every((name) => {
        const wanted = form.elements.namedItem(name).value;
        return !wanted || row.dataset[name] === wanted;
      });
      const contacts = Number(row.dataset.contacts);
      const affordable = spent + contacts <= limit;
      fitting += fits;
      row.hidden = !(fits && affordable);
      if (row.hidden) continue;
      spent += contacts;
      shown += 1;
    }
    const beyond = fitting - shown ? `, ${fitting - shown} more exceed the budget` : "";
    count.textContent = `${shown} of ${rows.length} actions, ${number.format(spent)} contacts${beyond}.`;
  };

  // Ranks follow the assumptions at once; rows move only when asked to, so that no field runs away from the reader.
  const rank = (prizes) => {
    const middle = new Map(prizes.map(({ place, middle }) => [place.closest("tr"), middle]));
    if (rows.some((row) => !middle.has(row))) return;
    const score = (row) => middle.get(row) * Number(row.dataset.weight);
    const ranked = [...rows].sort((a, b) => score(b) - score(a));
    ranked.forEach((row, i) => (row.cells[0].textContent = i + 1));
    sort.hidden = ranked.every((row, i) => row === rows[i]);
    sort.onclick = () => {
      rows = ranked;
      body.append(...rows);
      sort.hidden = true;
      show();
    };
  };

  document.addEventListener("prizes", (event) => rank(event.detail));
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () =>
    setTimeout(() => {
      form.elements.namedItem("margin")?.dispatchEvent(new Event("input"));
      show();
    }),
  );
  form.hidden = false;
  show();
})();
