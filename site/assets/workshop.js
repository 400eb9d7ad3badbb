// Ranks segments by the weights of the reader; the state stands in the address, behind its #.
(() => {
  "use strict";
  const tool = document.querySelector(".workshop");
  if (!tool) return;
  const { segments, criteria } = JSON.parse(tool.querySelector(".workshop-scores").textContent);
  const one = (selector) => tool.querySelector(selector);
  const sliders = criteria.map(({ name }) => one(`#weight-${name}`));
  const boxes = { min: one("[name=min]"), reach: one("[name=reach]"), solid: one("[name=solid]") };
  const least = one("[name=least]");
  const body = one(".ranking tbody");
  // The build wrote the rows in its order; each keeps its segment.
  const rows = new Map([...body.rows].map((row) => [row.cells[0].querySelector(".letter").textContent, row]));
  const number = new Intl.NumberFormat(tool.dataset.locale, {
    maximumFractionDigits: 0,
    numberingSystem: "latn",
    useGrouping: "always",
  });

  const mean = (i, axis) => {
    let sum = 0;
    let weight = 0;
    criteria.forEach((criterion, c) => {
      if (axis && criterion.axis !== axis) return;
      sum += Number(sliders[c].value) * criterion.scores[i];
      weight += Number(sliders[c].value);
    });
    return weight ? sum / weight : null;
  };

  const outBy = (segment) => {
    if (boxes.min.checked && 100 * segment.share < Number(least.value)) return "too small";
    if (boxes.reach.checked && !segment.reachable) return "hard to find";
    if (boxes.solid.checked && !segment.solid) return "not stable enough";
    return "";
  };

  const rank = () =>
    segments
      .map((segment, i) => ({
        segment,
        total: mean(i),
        attractiveness: mean(i, "attractiveness"),
        fit: mean(i, "fit"),
        out: outBy(segment),
      }))
      .sort((a, b) => Boolean(a.out) - Boolean(b.out) || b.total - a.total || a.segment.id - b.segment.id);

  const whole = (x) => (x === null ? "–" : number.format(Math.floor(x + 0.5)));

  const svg = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const matrix = one(".matrix");
  const draw = (lines) => {
    const width = Math.max(280, Math.floor(matrix.clientWidth));
    const height = Math.min(420, Math.max(300, Math.round(width * 0.5)));
    const edge = { left: 48, right: 28, top: 48, bottom: 48 };
    const x = (score) => edge.left + ((width - edge.left - edge.right) * score) / 100;
    const y = (score) => height - edge.bottom - ((height - edge.top - edge.bottom) * score) / 100;
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
    for (const tick of [0, 25, 50, 75, 100]) {
      picture.append(svg("line", { class: "grid", x1: x(tick), x2: x(tick), y1: y(0), y2: y(100) }));
      picture.append(svg("line", { class: "grid", x1: x(0), x2: x(100), y1: y(tick), y2: y(tick) }));
      picture.append(svg("text", { x: x(tick), y: y(0) + 18, "text-anchor": "middle" }, number.format(tick)));
      picture.append(svg("text", { x: x(0) - 8, y: y(tick) + 4, "text-anchor": "end" }, number.format(tick)));
    }
    picture.append(svg("text", { x: x(100), y: height - 6, "text-anchor": "end" }, "Fit, better to the right"));
    picture.append(svg("text", { x: 0, y: 12 }, "Attractiveness, better upwards"));
    const largest = Math.max(...segments.map((segment) => segment.share));
    // Small ones on top of large ones, and names over all.
    const bubbles = [...lines]
      .sort((a, b) => b.segment.share - a.segment.share)
      .map(({ segment, attractiveness, fit, out }) => {
        const [cx, cy] = [x(fit ?? 0), y(attractiveness ?? 0)];
        const r = 12 + 8 * Math.sqrt(segment.share / largest);
        const group = svg("g", { class: out ? "bubble out" : "bubble" });
        group.style.setProperty("--segment", segment.colour);
        group.append(svg("circle", { cx, cy, r }));
        group.append(svg("text", { class: "mark", x: cx, y: cy + 5, "text-anchor": "middle" }, segment.letter));
        picture.append(group);
        return { name: segment.name, cx, cy, r };
      });
    const taken = bubbles.map(({ cx, cy, r }) => [cx - r, cx + r, cy - r, cy + r]);
    for (const { name, cx, cy, r } of width >= 520 ? bubbles : []) {
      const reach = 7.5 * name.length;
      const places = [
        [cx + r + 6, cy],
        [cx - r - 6 - reach, cy],
        [cx - reach / 2, cy - r - 10],
        [cx - reach / 2, cy + r + 10],
      ].map(([from, at]) => [from, from + reach, at - 7, at + 7]);
      const isFree = ([from, to, top, bottom]) =>
        from >= 0 && to <= width && !taken.some((t) => from < t[1] && t[0] < to && top < t[3] && t[2] < bottom);
      const [from, to, top, bottom] = places.find(isFree) ?? places[1];
      taken.push([from, to, top, bottom]);
      const isLeft = to <= cx;
      const at = { x: isLeft ? to : from >= cx ? from : cx, y: bottom - 3 };
      picture.append(svg("text", { class: "name", ...at, "text-anchor": isLeft ? "end" : from >= cx ? "start" : "middle" }, name));
    }
    matrix.replaceChildren(picture);
  };

  const state = () => {
    const parts = criteria.map(({ name }, c) => [name, sliders[c].value]);
    if (boxes.min.checked) parts.push(["min", String(Number(least.value))]);
    if (boxes.reach.checked) parts.push(["reach", "1"]);
    if (boxes.solid.checked) parts.push(["solid", "1"]);
    return new URLSearchParams(parts).toString();
  };

  const within = (text) => /^\d{1,3}$/.test(text ?? "") && Number(text) <= 100;

  const restore = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    criteria.forEach(({ name }, c) => {
      const slider = sliders[c];
      slider.value = within(given.get(name)) ? given.get(name) : slider.defaultValue;
    });
    boxes.min.checked = within(given.get("min"));
    least.value = boxes.min.checked ? given.get("min") : least.defaultValue;
    boxes.reach.checked = given.get("reach") === "1";
    boxes.solid.checked = given.get("solid") === "1";
  };

  const show = () => {
    sliders.forEach((slider) => {
      slider.parentElement.querySelector("output").textContent = number.format(slider.value);
    });
    const lines = rank();
    for (const line of lines) {
      const row = rows.get(line.segment.letter);
      [line.total, line.attractiveness, line.fit].forEach((x, i) => (row.cells[i + 1].textContent = whole(x)));
      row.cells[4].textContent = line.out;
      row.classList.toggle("out", Boolean(line.out));
      body.append(row);
    }
    const left = lines.filter((line) => !line.out);
    const weighed = lines[0].total !== null;
    const names = left.map((line) => `${line.segment.name} (${whole(line.total)})`);
    const outside = lines.length - left.length;
    one(".ranked").textContent = !weighed
      ? "Give a criterion some weight."
      : !left.length
        ? "No segment is left."
        : `First: ${names.slice(0, 3).join(", then ")}.${outside ? ` Not shown: ${outside}.` : ""}`;
    const first = sliders.every((slider) => slider.value === slider.defaultValue);
    one(".first-weights").hidden = !first;
    draw(lines);
  };

  const change = () => {
    history.replaceState(null, "", `#${state()}`);
    one(".copied").textContent = "";
    show();
  };

  tool.addEventListener("input", change);
  one(".reset").addEventListener("click", () => {
    history.replaceState(null, "", location.href.split("#")[0]);
    restore();
    show();
  });
  one(".copy").addEventListener("click", async () => {
    history.replaceState(null, "", `#${state()}`);
    try {
      await navigator.clipboard.writeText(location.href);
      one(".copied").textContent = "Copied.";
    } catch {
      one(".copied").textContent = "It could not be copied here; the address of this page is the link.";
    }
  });
  window.addEventListener("hashchange", () => {
    restore();
    show();
  });
  one(".workshop-weights").hidden = false;
  matrix.hidden = false;
  restore();
  show();
  new ResizeObserver(() => draw(rank())).observe(matrix);
})();
