// Filters the ranked actions, and keeps those that fit a budget of contacts, the best first.
(() => {
  "use strict";
  const tool = document.querySelector(".act");
  const form = tool?.querySelector(".act-filters");
  if (!form) return;
  const rows = [...tool.querySelectorAll(".act-table tbody tr")];
  const names = ["slot", "segment", "channel", "effort"];
  const budget = form.elements.namedItem("budget");
  const count = tool.querySelector(".act-count");
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

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  form.hidden = false;
  show();
})();
