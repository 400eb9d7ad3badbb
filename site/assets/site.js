// Small repairs to what the page engines write: names for controls, tables that the keyboard reaches, working
// addresses from a file.
(() => {
  "use strict";
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (selector, label) =>
    all(selector).forEach((element) => element.hasAttribute("aria-label") || element.setAttribute("aria-label", label));

  name("#quarto-header > .navbar", "Main");
  all("button.navbar-toggler[role]").forEach((toggle) => toggle.removeAttribute("role"));
  name("#quarto-sidebar", "Pages of this section");
  name("#quarto-margin-sidebar nav, #TOC", "On this page");
  name(".quarto-secondary-nav", "Section");
  name(".page-navigation", "Previous and next page");
  name(".quarto-color-scheme-toggle", "Switch between light and dark");
  all(".quarto-color-scheme-toggle").forEach((toggle) => toggle.setAttribute("role", "button"));
  all("a[role=navigation][data-bs-toggle]").forEach((toggle) => toggle.setAttribute("role", "button"));
  all("a[data-bs-toggle]:not([href])").forEach((toggle) => {
    toggle.tabIndex = 0;
    toggle.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle.click();
    });
  });

  // The sidebar marks the page itself; on a page below a section, the section's link stays readable as the way up.
  all("#quarto-sidebar a.active").forEach((link) => link.setAttribute("aria-current", "page"));
  all("#quarto-sidebar a[aria-current]").slice(-1).forEach((link) => {
    const list = link.closest("#quarto-sidebar");
    list.scrollTop += link.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2;
  });
  // The bar marks the section: that to whose first page a page's list of pages leads.
  const first = document.querySelector("#quarto-sidebar a.sidebar-link[href]")?.href;
  all("#quarto-header .navbar-nav a.nav-link").forEach((link) => {
    if (link.href === location.href.split("#")[0]) link.setAttribute("aria-current", "page");
    else if (first && link.href === first) link.setAttribute("aria-current", "true");
  });

  // On paper, addresses of other sites are spelled out.
  all("main a[href]").forEach((link) => {
    if (/^https?:$/.test(link.protocol) && link.host !== location.host) link.classList.add("off-site");
  });

  // A table or a block of code that is wider than the page scrolls in its own region.
  const regions = all(".table-scroll, .sd-table, main .cell-output-display:has(> table), main pre");
  const reach = () =>
    regions.forEach((region) => {
      if (region.scrollWidth <= region.clientWidth) {
        if (!region.classList.contains("table-scroll")) region.removeAttribute("tabindex");
        return;
      }
      region.tabIndex = 0;
      region.setAttribute("role", "group");
      if (!region.hasAttribute("aria-label")) region.setAttribute("aria-label", "Scrolls sideways");
    });
  reach();
  window.addEventListener("resize", reach);

  // A page cannot know when it is read: after their last day of use the segments say so everywhere.
  const today = new Date();
  const day = [today.getFullYear(), today.getMonth() + 1, today.getDate()];
  const iso = day.map((part) => String(part).padStart(2, "0")).join("-");
  all(".notice-stale[data-until]").forEach((strip) => {
    strip.hidden = iso <= strip.dataset.until;
  });

  // Columns of numbers are set flush right.
  const number = /^[<>≈±]?\s?[−–+-]?[$€£¥]?\s?\d[\d,.\s]*\s?(%|pp|×|x|k|M|€)?$/;
  for (const table of all("table.data")) {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    const columns = rows.length ? rows[0].cells.length : 0;
    for (let column = 0; column < columns; column += 1) {
      const cells = rows.map((row) => row.cells[column]).filter(Boolean);
      const texts = cells.map((item) => item.textContent.trim()).filter((text) => text && !/^[–—-]$/.test(text));
      if (!texts.length || !texts.every((text) => number.test(text))) continue;
      [...cells, table.tHead?.rows[0]?.cells[column]].forEach((item) => item?.classList.add("number"));
    }
  }

  // Two groups side by side: their columns alone, the lines on which they lie furthest apart on top.
  for (const block of all(".side-by-side")) {
    const [first, second] = block.querySelectorAll("select");
    const body = block.querySelector("tbody");
    const lines = [...body.rows];
    const place = (line, choice) => Number(line.cells[Number(choice.value) + 1].dataset.place);
    const apart = (line) => Math.abs(place(line, first) - place(line, second));
    const show = (two) => {
      const chosen = [first, second].map((choice) => Number(choice.value) + 1);
      for (const row of block.querySelectorAll("tr"))
        [...row.cells].forEach((item, i) => (item.hidden = two && i > 0 && !chosen.includes(i)));
      const order = two ? [...lines].sort((a, b) => apart(b) - apart(a)) : lines;
      body.append(...order);
      const names = [first, second].map((choice) => choice.selectedOptions[0].textContent);
      block.querySelector(".chosen").textContent = !two
        ? "All groups."
        : names[0] === names[1]
          ? "Choose two different groups."
          : `${names[0]} and ${names[1]}: furthest apart on ${order[0].cells[0].textContent}, then ${order[1]?.cells[0].textContent ?? "nothing else"}. Furthest first.`;
    };
    [first, second].forEach((choice) => choice.addEventListener("change", () => show(true)));
    block.querySelector("button").addEventListener("click", () => show(false));
    block.querySelector(".choices").hidden = false;
  }

  // The address goes to where the reader's device shares things, else to the clipboard.
  all("button.share-page").forEach((button) => {
    if (!navigator.share && !navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        if (navigator.share) await navigator.share({ title: document.title, url: location.href });
        else {
          await navigator.clipboard.writeText(location.href);
          button.textContent = "Address copied";
        }
      } catch {
        /* The reader changed their mind. */
      }
    });
  });

  // From a file there is no server that turns a folder into its index page.
  if (location.protocol === "file:") {
    all("a[href]").forEach((link) => {
      const path = link.getAttribute("href");
      if (/(^|\/)\.{0,2}\/?$/.test(path) && !path.includes(":")) link.href = `${path.replace(/\/?$/, "/")}index.html`;
    });
  }
})();
