// Draws the charts of a page: lazily, as wide as their place, in the colours of the page's mode.
(() => {
  "use strict";
  const home = document.currentScript.src;
  const figures = [...document.querySelectorAll("figure.chart")];
  if (!figures.length) return;

  const NARROW = 560;
  const PHONE = 420;
  const charts = new Map();
  let bundle = null;

  const load = (name) => {
    bundle ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(name, home).href;
      script.onload = () => resolve(window.segmentCharts);
      script.onerror = () => reject(new Error(`${name} did not load`));
      document.head.append(script);
    });
    return bundle;
  };

  // Custom properties are the only place where colours of text, axes and paper stand.
  const fill = (value, style) => {
    if (typeof value === "string")
      return value.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    if (Array.isArray(value)) return value.map((item) => fill(item, style));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, style)]));
    return value;
  };

  const merge = (base, over) => {
    const plain = (value) => value && typeof value === "object" && !Array.isArray(value);
    const merged = { ...base };
    for (const [key, value] of Object.entries(over ?? {}))
      merged[key] = plain(value) && plain(merged[key]) ? merge(merged[key], value) : value;
    return merged;
  };

  // One segment through all charts of the page: pointed at for a moment, pressed to stay.
  const follow = {
    bar: document.querySelector(".follow"),
    chosen: null,
    now: null,
    names: new Set(),
    tell(view) {
      try {
        view.signal("followed", follow.now).runAsync();
      } catch {
        // A chart without segments has nothing to follow.
      }
    },
    show(name) {
      if (follow.now === name) return;
      follow.now = name;
      for (const { result } of charts.values()) if (result) follow.tell(result.view);
    },
    choose(name) {
      follow.chosen = name;
      for (const button of follow.bar.querySelectorAll("button"))
        button.setAttribute("aria-pressed", String((button.dataset.follow || null) === name));
      follow.show(name);
    },
    listen(view) {
      const named = (item) => (follow.names.has(item?.datum?.segment) ? item.datum.segment : null);
      view.addEventListener("pointerover", (_, item) => follow.show(named(item) ?? follow.chosen));
      view.addEventListener("pointerout", () => follow.show(follow.chosen));
      view.addEventListener("click", (_, item) => {
        const name = named(item);
        if (name) follow.choose(follow.chosen === name ? null : name);
      });
      if (follow.now) follow.tell(view);
    },
  };
  if (follow.bar) {
    for (const button of follow.bar.querySelectorAll("button")) {
      if (button.dataset.follow) follow.names.add(button.dataset.follow);
      button.addEventListener("click", () => follow.choose(button.dataset.follow || null));
    }
    follow.bar.hidden = false;
  }

  // On a phone a legend is one column of short labels.
  const stacked = (value, name) => {
    if (!value || typeof value !== "object" || name === "datasets") return value;
    if (Array.isArray(value)) return value.map((item) => stacked(item));
    const shown = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stacked(item, key)]));
    return name === "legend" ? { ...shown, columns: 1, labelLimit: 140, titleFontSize: 11 } : shown;
  };

  const draw = async (figure) => {
    const chart = charts.get(figure);
    const live = figure.querySelector(".chart-live");
    const width = Math.floor(figure.querySelector(".chart-frame").clientWidth);
    if (!width || chart.busy) {
      chart.again = Boolean(width);
      return;
    }
    chart.busy = true;
    try {
      const { embed, theme } = await load(figure.dataset.bundle);
      const style = getComputedStyle(document.body);
      let spec = chart.spec;
      if (width < NARROW) spec = merge(spec, spec.usermeta?.narrow);
      const fluid = spec.width === "container";
      if (fluid) spec = { ...spec, width, autosize: { type: "fit-x", contains: "padding", ...spec.autosize } };
      if (width < PHONE) spec = stacked(spec);
      const legend = width < PHONE ? { legend: { columns: 1 } } : {};
      const config = merge(merge(theme, legend), spec.config);
      const made = await embed(live, fill({ ...spec, config }, style), {
        actions: false,
        ast: false,
        defaultStyle: false,
        mode: "vega-lite",
        renderer: "svg",
        tooltip: { disableDefaultStyle: true },
      });
      chart.result?.finalize();
      if (follow.bar) follow.listen(made.view);
      Object.assign(chart, { result: made, width, fluid, narrow: width < NARROW });
      const picture = live.querySelector("svg");
      picture.setAttribute("role", "img");
      picture.setAttribute("aria-label", figure.querySelector(".chart-static").alt);
      picture.removeAttribute("aria-roledescription");
      picture.querySelectorAll("[role]").forEach((part) => {
        for (const name of ["role", "aria-label", "aria-roledescription"]) part.removeAttribute(name);
      });
      figure.dataset.drawn = "true";
    } catch (error) {
      figure.dataset.failed = "true";
      console.error(`Chart ${figure.id}: ${error.message}`);
    } finally {
      chart.busy = false;
    }
    if (chart.again) {
      chart.again = false;
      draw(figure);
    }
  };

  const resize = (figure) => {
    const chart = charts.get(figure);
    const width = Math.floor(figure.querySelector(".chart-frame").clientWidth);
    if (!chart.result || !width || width === chart.width) return;
    if (chart.fluid && width < NARROW === chart.narrow) {
      chart.width = width;
      chart.result.view.width(width).runAsync();
    } else if (chart.fluid || width < NARROW !== chart.narrow) draw(figure);
  };

  const save = (name, href) => {
    const link = document.createElement("a");
    link.href = href;
    link.download = name;
    link.click();
  };

  // A cell that begins like a formula would run in a spreadsheet.
  const cell = (text) => {
    const safe = /^[=+@\t]|^-(?![\d.])/.test(text) ? `'${text}` : text;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const csv = (figure) =>
    [...figure.querySelectorAll(".table-twin tr")]
      .map((row) => [...row.cells].map((item) => cell(item.textContent.trim())).join(","))
      .join("\r\n");

  const download = async (figure, kind) => {
    const chart = charts.get(figure);
    const name = `${figure.id}.${kind}`;
    if (kind === "csv") {
      const url = URL.createObjectURL(new Blob(["\ufeff", csv(figure)], { type: "text/csv;charset=utf-8" }));
      save(name, url);
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    } else {
      const background = getComputedStyle(document.body).getPropertyValue("--paper").trim();
      const view = chart.result.view.background(background);
      save(name, await view.toImageURL(kind, kind === "png" ? 2 : 1));
    }
  };

  for (const figure of figures) {
    const source = figure.querySelector("script.chart-spec");
    try {
      charts.set(figure, { spec: JSON.parse(source.textContent) });
    } catch (error) {
      figure.dataset.failed = "true";
      console.error(`Chart ${figure.id}: ${error.message}`);
      continue;
    }
    figure
      .querySelectorAll("button[data-download]")
      .forEach((button) => button.addEventListener("click", () => download(figure, button.dataset.download)));
  }

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "400px 0px" },
  );
  const sized = new ResizeObserver((entries) => {
    for (const { target } of entries) requestAnimationFrame(() => resize(target.closest("figure.chart")));
  });
  for (const figure of charts.keys()) {
    seen.observe(figure);
    sized.observe(figure.querySelector(".chart-frame"));
  }

  // The engines mark the mode on different elements; the paper's colour tells it in both.
  let paper = getComputedStyle(document.body).getPropertyValue("--paper");
  const repaint = () => {
    const now = getComputedStyle(document.body).getPropertyValue("--paper");
    if (now === paper) return;
    paper = now;
    for (const [figure, chart] of charts) if (chart.result) draw(figure);
  };
  const modes = new MutationObserver(repaint);
  const attributes = { attributes: true, attributeFilter: ["class", "data-scheme", "data-bs-theme"] };
  modes.observe(document.documentElement, attributes);
  modes.observe(document.body, attributes);
})();
