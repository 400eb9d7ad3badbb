// Opens the assumed shares of prizes to the reader, keeps what was changed for this visit, and prints single briefs.
(() => {
  "use strict";
  const tool = document.querySelector("[data-script='plan.js']");
  if (!tool) return;
  const locale = { numberingSystem: "latn", useGrouping: "always", maximumFractionDigits: 3 };
  const number = new Intl.NumberFormat(tool.dataset.locale, locale);
  const percent = new Intl.NumberFormat(tool.dataset.locale, { style: "percent", maximumFractionDigits: 1 });
  const all = document.querySelector(".prize-all");
  const back = document.querySelector(".prize-back");
  const KEY = "assumed-shares";

  const read = () => {
    try {
      return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
    } catch {
      return {};
    }
  };
  const changed = read();
  const keep = () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(changed));
    } catch {
      // A browser that keeps nothing still computes.
    }
  };

  const prizes = [...document.querySelectorAll(".prize")].map((place) => {
    const fields = [...place.querySelectorAll("input")];
    return { place, fields, published: fields.map((field) => field.value), worth: place.querySelector("output") };
  });
  for (const prize of prizes) prize.text = prize.worth.textContent;

  const share = (field) => Math.min(100, Math.max(0, Number(field.value))) / 100;
  // The build rounds to two digits; so does this.
  const rounded = (x) => Number(x.toPrecision(2));
  const margin = () => Math.min(100, Math.max(0, Number(changed.margin ?? 100))) / 100;

  const show = (prize) => {
    const { place, fields, published, worth, text } = prize;
    const part = margin();
    const same = part === 1 && fields.every((field, i) => field.value === published[i]);
    const ends = fields.map(share).sort((a, b) => a - b);
    const [low, high] = ends.map((end) => rounded(end * part * Number(place.dataset.total)));
    prize.middle = (low + high) / 2;
    worth.textContent = same
      ? text
      : place.dataset.pattern.replace("{low}", () => number.format(low)).replace("{high}", () => number.format(high));
    place.querySelector(".prize-margin").textContent = part === 1 ? "" : `, at a margin of ${percent.format(part)}`;
    place.classList.toggle("prize-changed", !same);
  };

  const showAll = () => {
    for (const prize of prizes) {
      const kept = changed[prize.place.dataset.key] ?? prize.published;
      prize.fields.forEach((field, i) => {
        if (field !== document.activeElement) field.value = kept[i];
      });
      show(prize);
    }
    if (all) all.value = changed.margin ?? 100;
    if (back) back.hidden = !Object.keys(changed).length;
    const found = prizes.map(({ place, middle }) => ({ place, middle }));
    document.dispatchEvent(new CustomEvent("prizes", { detail: found }));
  };

  for (const { place, fields } of prizes) {
    for (const field of fields) {
      field.readOnly = false;
      field.addEventListener("input", () => {
        changed[place.dataset.key] = fields.map((each) => each.value);
        keep();
        showAll();
      });
    }
  }
  all?.addEventListener("input", () => {
    changed.margin = all.value === "" ? 100 : all.value;
    if (Number(changed.margin) === 100) delete changed.margin;
    keep();
    showAll();
  });
  back?.addEventListener("click", () => {
    for (const name of Object.keys(changed)) delete changed[name];
    keep();
    document.activeElement?.blur();
    showAll();
  });
  if (Object.keys(changed).length) showAll();

  for (const button of document.querySelectorAll(".brief-print")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      location.hash = button.closest(".brief").id;
      window.print();
    });
  }
})();
