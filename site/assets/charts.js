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

  // One segment through all charts of the page: pressed to stay. Pointing at a mark only tells what it is.
  const follow = {
    bar: document.querySelector(".follow"),
    chosen: null,
    names: new Set(),
    tell(view) {
      try {
        view.signal("followed", follow.chosen).runAsync();
      } catch {
        // A chart without segments has nothing to follow.
      }
    },
    choose(name) {
      follow.chosen = name;
      for (const button of follow.bar.querySelectorAll("button"))
        button.setAttribute("aria-pressed", String((button.dataset.follow || null) === name));
      for (const { result } of charts.values()) if (result) follow.tell(result.view);
    },
    listen(view) {
      const named = (item) => (follow.names.has(item?.datum?.segment) ? item.datum.segment : null);
      view.addEventListener("click", (_, item) => {
        const name = named(item);
        if (name) follow.choose(follow.chosen === name ? null : name);
      });
      if (follow.chosen) follow.tell(view);
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

  // A title states what the chart shows, so it follows what the reader chooses.
  const entitle = (figure, view) => {
    const titles = charts.get(figure).spec.usermeta?.titles;
    if (!titles) return;
    const state = (chosen) => (figure.querySelector(".chart-title").textContent = titles.texts[chosen]);
    view.addSignalListener(titles.signal, (_, chosen) => state(chosen));
    state(view.signal(titles.signal));
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
      entitle(figure, made.view);
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

  // Numbers as the page writes them, in its language, become numbers that programs read.
  const reader = (figure) => {
    const { decimal = ".", thousands = "," } = charts.get(figure).spec.usermeta?.embedOptions?.formatLocale ?? {};
    const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const number = new RegExp(`[+−-]?\\d+(?:${literal(thousands)}\\d{3})*(?:${literal(decimal)}\\d+)?`, "g");
    const plain = (text) => text.replaceAll(thousands, "").replace(decimal, ".").replace("−", "-").replace("+", "");
    return {
      form: (text) => text.replace(number, "#"),
      values: (text) => {
        const percent = /#[\s\u00a0\u202f]?%/.test(text.replace(number, "#"));
        const given = (text.match(number) ?? []).map((found) => plain(found));
        return given.map((found) => (percent ? String(Number((Number(found) / 100).toPrecision(12))) : found));
      },
    };
  };
  const PARTS = { "#": [""], "# (# to #)": ["", ", low", ", high"], "# to #": [", low", ", high"] };
  const NONE = /^[–—-]?$/;

  // The columns of one column of the table: a value and its interval stand apart, a unit goes to the heading.
  const split = (figure, heading, cells) => {
    const { form, values } = reader(figure);
    const bare = (text) => form(text).replace(/[\s\u00a0\u202f]?%|[$€£¥]\s?|\s?[$€£¥]/g, "");
    const forms = new Set(cells.filter((text) => !NONE.test(text)).map(bare));
    const [only] = forms;
    const unit = forms.size === 1 ? only.match(/^# ([^\d\W]+)$/)?.[1] : null;
    const both = forms.size === 1 && only === "# and #" && heading.match(/^(.*, )?(.+) and (.+)$/);
    const names = both ? [both[2], both[3]].map((name) => (both[1] ?? "") + name) : null;
    const parts = forms.size === 1 ? (unit ? [""] : PARTS[only]) : null;
    if (!parts && !names)
      return [[heading, ...cells.map((text) => (NONE.test(text) ? "" : bare(text) === "#" ? values(text)[0] : text))]];
    const headings = names ?? parts.map((part) => `${heading}${part}${unit ? ` (${unit})` : ""}`);
    return headings.map((name, i) => [name, ...cells.map((text) => (NONE.test(text) ? "" : values(text)[i]))]);
  };

  // The table of a chart as lines of cells; lists in a cell, such as the bars of a segment, become a line each.
  const lines = (figure) => {
    let rows = [...figure.querySelectorAll(".table-twin tr")].map((row) =>
      [...row.cells].map((item) => item.textContent.trim()),
    );
    const listed = rows.slice(1).every((row) => row.length === 2 && /^[^;]+: [^;]+; /.test(row[1]));
    if (listed)
      rows = rows.flatMap(([name, list], i) =>
        i ? list.split("; ").map((part) => [name, ...part.split(": ")]) : [[name, "Value", list]],
      );
    const columns = rows[0].flatMap((heading, i) => split(figure, heading, rows.slice(1).map((row) => row[i])));
    return rows.map((_, i) => columns.map((column) => column[i]));
  };

  // A cell that begins like a formula would run in a spreadsheet.
  const safe = (text) => (/^[=+@\t]|^-(?![\d.])/.test(text) ? `'${text}` : text);
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csv = (figure) => lines(figure).map((row) => row.map((text) => quoted(safe(text))).join(",")).join("\r\n");
  const tabbed = (figure) =>
    lines(figure).map((row) => row.map((text) => safe(text).replace(/\s/g, " ")).join("\t")).join("\n");

  const copy = async (figure, button) => {
    const status = button.parentElement.querySelector("[role=status]");
    try {
      await navigator.clipboard.writeText(tabbed(figure));
      status.textContent = "Copied";
    } catch {
      status.textContent = "The browser did not allow it";
    }
    setTimeout(() => (status.textContent = ""), 4000);
  };

  const SVG = "http://www.w3.org/2000/svg";
  const MARGIN = 20;
  const fold = (text, width, font) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = font;
    const folded = [""];
    for (const word of text.split(/\s+/)) {
      const longer = `${folded.at(-1)} ${word}`.trim();
      if (folded.at(-1) && pen.measureText(longer).width > width) folded.push(word);
      else folded[folded.length - 1] = longer;
    }
    return folded;
  };

  // A picture leaves the page with its title, how to read it, and what the data are.
  const picture = async (figure) => {
    const { theme } = await load(figure.dataset.bundle);
    const style = getComputedStyle(document.body);
    const colour = (name) => style.getPropertyValue(name).trim();
    const svg = new DOMParser().parseFromString(await charts.get(figure).result.view.toSVG(), "image/svg+xml");
    const inner = svg.documentElement;
    const [wide, high] = ["width", "height"].map((name) => Math.ceil(Number(inner.getAttribute(name))));
    const width = Math.max(wide, 480);
    const outer = document.createElementNS(SVG, "svg");
    const paper = document.createElementNS(SVG, "rect");
    outer.append(paper);
    let y = MARGIN;
    const write = (text, size, weight, ink) => {
      for (const line of fold(text, width, `${weight} ${size}px ${theme.font}`)) {
        const element = document.createElementNS(SVG, "text");
        y += Math.round(size * 1.35);
        const form = { x: MARGIN, y, fill: colour(ink), "font-family": theme.font, "font-size": size };
        for (const [key, value] of Object.entries({ ...form, "font-weight": weight })) element.setAttribute(key, value);
        element.textContent = line;
        outer.append(element);
      }
    };
    const said = (part) => figure.querySelector(part).textContent.trim();
    write(said(".chart-title"), 18, 600, "--ink");
    y += 4;
    write(said(".chart-caption"), 13, 400, "--ink-2");
    inner.setAttribute("x", MARGIN);
    inner.setAttribute("y", (y += 12));
    outer.append(document.importNode(inner, true));
    y += high + 8;
    write(`Source: ${figure.dataset.source}`, 11, 400, "--ink-2");
    const size = [width + 2 * MARGIN, y + MARGIN];
    const box = { width: size[0], height: size[1] };
    for (const [key, value] of Object.entries(box)) for (const e of [outer, paper]) e.setAttribute(key, value);
    paper.setAttribute("fill", colour("--paper"));
    outer.setAttribute("viewBox", `0 0 ${size.join(" ")}`);
    return { text: new XMLSerializer().serializeToString(outer), size };
  };

  const painted = async ({ text, size }) => {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = size.map((length) => 2 * length);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  };

  const download = async (figure, button) => {
    const kind = button.dataset.download;
    if (kind === "copy") return copy(figure, button);
    let file = null;
    if (kind === "csv") file = new Blob(["\ufeff", csv(figure)], { type: "text/csv;charset=utf-8" });
    else {
      const made = await picture(figure);
      file = kind === "svg" ? new Blob([made.text], { type: "image/svg+xml" }) : await painted(made);
    }
    const url = URL.createObjectURL(file);
    save(`${figure.id}.${kind}`, url);
    setTimeout(() => URL.revokeObjectURL(url), 1000);
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
      .forEach((button) => button.addEventListener("click", () => download(figure, button)));
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
  const watch = () => {
    for (const figure of charts.keys()) {
      seen.observe(figure);
      sized.observe(figure.querySelector(".chart-frame"));
    }
  };
  // On a phone pictures stand until the reader moves: whoever only reads the first lines pays for no charts.
  if (innerWidth > NARROW || location.hash || scrollY) watch();
  else {
    const moves = ["scroll", "pointerdown", "keydown", "focusin", "beforeprint"];
    const first = () => {
      moves.forEach((move) => window.removeEventListener(move, first));
      watch();
    };
    moves.forEach((move) => window.addEventListener(move, first, { passive: true }));
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
