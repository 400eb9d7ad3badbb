// Places one customer by the published rule, in this page alone: nothing is sent, stored or put into the address.
(() => {
  "use strict";
  const tool = document.querySelector(".finder");
  if (!tool) return;
  const rule = JSON.parse(document.querySelector(".finder-rule").textContent);
  const asked = new Set(rule.answers.filter((answer) => answer.asked).flatMap((answer) => answer.features));

  const scaled = (value, step) => {
    let x = value;
    if (step.log_unit !== null) x = Math.log1p(Math.max(x, 0) / step.log_unit);
    if (step.limits) x = Math.min(Math.max(x, step.limits[0]), step.limits[1]);
    return (x - step.subtract) / step.divide;
  };

  // The first of several as near, as everywhere the rule is applied.
  const nearest = (away, but = -1) =>
    away.reduce((best, x, i) => (i !== but && (best < 0 || x < away[best]) ? i : best), -1);

  const byCentres = (values, points, steps, axes) => {
    let point = steps.map(([step, place]) => [scaled(values[step.feature], step), place]);
    if (axes) {
      const columns = axes[0].map((_, j) => point.reduce((sum, [x, i]) => sum + x * axes[i][j], 0));
      point = columns.map((x, j) => [x, j]);
    }
    const away = points.map((centre) => Math.sqrt(point.reduce((sum, [x, j]) => sum + (x - centre[j]) ** 2, 0)));
    const own = nearest(away);
    const second = nearest(away, own);
    const both = away[own] + away[second];
    return { segment: own + 1, runnerUp: second + 1, confidence: both > 0 ? away[second] / both : 0.5 };
  };

  const byTree = (values, nodes) => {
    let node = nodes[0];
    while (node.feature) node = nodes[values[node.feature] <= node.at_most ? node.yes : node.no];
    return { segment: node.segment, runnerUp: node.second, share: node.share, atLeast: node.least };
  };

  // Values by feature, in the rule's units; what is missing has the usual value, as `score` gives it.
  const place = (given, short) => {
    const values = Object.create(null);
    for (const { name, missing } of rule.features) values[name] = Number.isFinite(given[name]) ? given[name] : missing;
    if (short && rule.short.by === "tree") return byTree(values, rule.short.nodes);
    const steps = rule.centres.steps.map((step, place) => [step, place]);
    if (short) return byCentres(values, rule.short.points, steps.filter(([step]) => asked.has(step.feature)), null);
    return byCentres(values, rule.centres.points, steps, rule.centres.axes);
  };

  const answers = [...tool.querySelectorAll(".answer")].map((block) => ({
    input: block.querySelector("input, select"),
    ...rule.answers[Number(block.dataset.place)],
  }));
  const found = tool.querySelector(".found");
  const more = tool.querySelector(".answers-more");
  const { format: percent } = new Intl.NumberFormat(tool.dataset.locale, {
    style: "percent",
    maximumFractionDigits: 0,
    numberingSystem: "latn",
  });
  const isShort = () => !tool.querySelector("input[value=every]")?.checked;

  const read = () => {
    const given = Object.create(null);
    let known = 0;
    let wrong = 0;
    for (const { input, factor, levels, features } of answers) {
      if (input.closest("[hidden]")) continue;
      const isWrong = !input.validity.valid;
      input.setAttribute("aria-invalid", String(isWrong));
      wrong += isWrong;
      if (isWrong || input.value === "") continue;
      known += 1;
      // A level of a category is a yes to its own question and a no to those of the others.
      if (levels) features.forEach((name, i) => (given[name] = Number(Number(input.value) === i)));
      else given[features[0]] = Number(input.value) / factor;
    }
    return { given, known, wrong };
  };

  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (kind) made.className = kind;
    made.textContent = text;
    return made;
  };

  const persona = (number, kind) => {
    const { name, letter, colour, slug } = rule.segments[number - 1];
    const line = element("p", "", kind);
    const mark = element("span", letter, "letter");
    mark.style.setProperty("--segment", colour);
    mark.setAttribute("aria-hidden", "true");
    const link = element("a", name);
    link.href = `segments/${slug}.html`;
    line.append(mark, link);
    return line;
  };

  const show = () => {
    const { given, known, wrong } = read();
    const short = isShort();
    const asking = answers.filter(({ input }) => !input.closest("[hidden]")).length;
    const parts = [];
    if (!known) parts.push(element("p", "Give one answer or more, and the persona stands here."));
    else {
      const { segment, runnerUp, confidence, share, atLeast } = place(given, short);
      parts.push(element("p", "Most like", "found-head"), persona(segment, "found-persona"));
      if (confidence !== undefined)
        parts.push(element("p", `Confidence ${percent(confidence)}; ${percent(0.5)} is a tie with the runner-up.`));
      else
        parts.push(element("p", `Of those who answer so, ${atLeast && share >= 0.5 && share < 0.85 ? "most" : (atLeast ? "at least " : "") + percent(share)} are of this persona.`));
      if (runnerUp) parts.push(element("p", "Runner-up", "found-head"), persona(runnerUp, "found-runner-up"));
      if (short && confidence !== undefined)
        parts.push(element("p", `Of those whom these answers name so, ${percent(rule.short.precision[segment - 1])} are.`, "found-note"));
      if (known < asking)
        parts.push(element("p", `${known} of ${asking} answered; the usual value stands for the others.`, "found-note"));
    }
    if (wrong)
      parts.push(element("p", `${wrong === 1 ? "One answer is" : `${wrong} answers are`} out of range or no number, and not counted.`, "found-wrong"));
    found.replaceChildren(...parts);
  };

  // Read aloud once the typing stops, not at each key.
  let waiting = 0;
  tool.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 300);
  });
  tool.querySelectorAll("input[name=way]").forEach((way) => {
    way.checked = way.defaultChecked; // A browser may remember another one.
    way.addEventListener("change", () => {
      more.hidden = isShort();
      show();
    });
  });
  tool.querySelector("button").addEventListener("click", () => {
    answers.forEach(({ input }) => (input.value = ""));
    show();
    answers[0].input.focus();
  });
  tool.hidden = false;
  show();
  window.personaFinder = { place };
})();
