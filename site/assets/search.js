// The site's own search: a dialog above everything, and an index that is loaded when it first opens.
(() => {
  "use strict";
  const here = document.currentScript?.src ?? "";
  const header = document.querySelector("#quarto-header .navbar .container-fluid, #quarto-header .navbar-container");
  const SUGGESTED = [
    ["index.html", "Overview"],
    ["segments/index.html", "Personas"],
    ["compare.html", "Compare"],
    ["act.html", "Act"],
    ["evidence.html", "Evidence"],
    ["manual/glossary.html", "Glossary"],
  ];
  const MOST = 12;
  // Personas come first and the tool's manual last, where words alone do not settle it.
  const WORTH = { segments: 1.2, manual: 0.6, "data.html": 0.7 };
  const COMMON = new Set(
    "a an and are as at be by can do does for from have how i in is it many much my of on or our that the their them they this to was we what when where which who why will with you your".split(" "),
  );

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // Words without accents and plurals.
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
  const stem = (word) => (word.length > 3 && /[^s]s$/.test(word) ? word.slice(0, -1) : word);
  const split = (text) => fold(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  const stems = (text) => split(text).map(stem);

  const entries = (also) => (also ?? "").split(",").map((entry) => stems(entry).join(" "));

  // One letter wrong, missing, added or swapped with its neighbour; the first letter is right.
  const isTypo = (asked, word) => {
    if (asked[0] !== word[0] || Math.abs(asked.length - word.length) > 1) return false;
    let i = 0;
    while (i < asked.length && asked[i] === word[i]) i += 1;
    const [rest, other] = [asked.slice(i), word.slice(i)];
    return (
      rest.slice(1) === other.slice(1) ||
      rest === other.slice(1) ||
      rest.slice(1) === other ||
      (rest[0] === other[1] && rest[1] === other[0] && rest.slice(2) === other.slice(2))
    );
  };

  // A document for each page and each part of one; the index leads from a word to the documents and its weight there.
  const build = (pages) => {
    const documents = [];
    const words = new Map();
    const add = (text, place, weight) => {
      for (const word of new Set(stems(text ?? ""))) {
        if (!words.has(word)) words.set(word, new Map());
        const found = words.get(word);
        found.set(place, Math.max(found.get(place) ?? 0, weight));
      }
    };
    pages.forEach((page, number) => {
      const place = documents.push({ page, number, part: null, title: stems(page.title).join(" "), also: entries(page.also) }) - 1;
      const kind = page.url.split("/").length > 1 ? page.url.split("/")[0] : page.url;
      const worth = WORTH[kind] ?? 1;
      add(page.title, place, 12 * worth);
      add(page.also, place, 9);
      add(page.about, place, 4 * worth);
      for (const part of page.parts) {
        const inside = documents.push({ page, number, part, title: stems(part.title ?? "").join(" ") }) - 1;
        add(part.title, inside, 6 * worth);
        add(part.text, inside, 1.5 * worth);
        add(part.words, inside, worth);
      }
    });
    return { documents, words };
  };

  const match = (index, asked, last) => {
    const found = new Map();
    const take = (word, quality) => {
      const places = index.words.get(word);
      const rare = Math.log(1 + index.documents.length / places.size);
      for (const [place, weight] of places)
        found.set(place, Math.max(found.get(place) ?? 0, weight * quality * rare));
    };
    if (index.words.has(asked)) take(asked, 1);
    if (asked.length > 2 || last)
      for (const word of index.words.keys())
        if (word !== asked && word.startsWith(asked)) take(word, 0.35 + (0.4 * asked.length) / word.length);
    if (!found.size && asked.length > 3) for (const word of index.words.keys()) if (isTypo(asked, word)) take(word, 0.5);
    return found;
  };

  const search = (index, query) => {
    const all = split(query);
    const told = all.filter((word) => !COMMON.has(word)).map(stem);
    const asked = told.length ? told : all.map(stem);
    if (!asked.length) return [];
    const matches = asked.map((word, i) => match(index, word, i === asked.length - 1));
    // A page answers where each word stands somewhere on it.
    const pages = new Map();
    matches.forEach((found, i) => {
      for (const [place, score] of found) {
        const { number } = index.documents[place];
        if (!pages.has(number)) pages.set(number, asked.map(() => 0));
        pages.get(number)[i] = Math.max(pages.get(number)[i], score);
      }
    });
    const whole = asked.join(" ");
    const phrase = stems(query).join(" ");
    const results = [];
    index.documents.forEach((document, place) => {
      const best = pages.get(document.number);
      if (!best || best.includes(0)) return;
      const own = matches.map((found) => found.get(place) ?? 0);
      if (!own.some(Boolean)) return;
      let score = own.reduce((sum, x) => sum + x, 0) + 0.15 * best.reduce((sum, x) => sum + x, 0);
      if (own.includes(0)) score *= 0.4;
      if (document.title === whole || document.title === phrase) score *= document.part ? 1.6 : 4;
      else if (document.title.startsWith(whole)) score *= 1.3;
      if (!document.part && document.also.includes(phrase)) score *= 3;
      results.push({ ...document, score });
    });
    results.sort((a, b) => b.score - a.score || a.number - b.number);
    const shown = new Map();
    return results.filter(({ number, part }) => {
      const parts = shown.get(number) ?? [];
      if (parts.length > 2 || (parts.length && !part) || parts.includes(part?.title)) return false;
      shown.set(number, [...parts, part?.title]);
      return true;
    });
  };

  const address = (url, at) => {
    const found = new URL(`../${url}`, here);
    found.hash = at ?? "";
    return found.href;
  };

  let index = null;
  let waiting = null;
  const load = () =>
    (waiting ??= new Promise((done, failed) => {
      const script = make("script", { src: new URL("search-index.js", here).href });
      script.addEventListener("load", () => done((index = build(window.siteIndex.pages))));
      script.addEventListener("error", () => {
        waiting = null;
        failed(new Error("no index"));
      });
      document.head.append(script);
    }));

  const field = make("input", {
    type: "search", id: "site-search-field", role: "combobox", "aria-expanded": "false", "aria-controls": "site-search-results",
    "aria-autocomplete": "list", "aria-label": "Search this site", placeholder: "Search", autocomplete: "off",
    autocapitalize: "off", spellcheck: "false", enterkeyhint: "go",
  });
  const close = make("button", { type: "button", class: "site-search-close" }, "Close");
  const list = make("div", { id: "site-search-results", role: "listbox", "aria-label": "Results" });
  const status = make("p", { role: "status", class: "site-search-status" });
  const dialog = make("dialog", { id: "site-search", "aria-label": "Search" }, make("div", { class: "site-search-top" }, field, close), status, list);
  const opener = make("button", { type: "button", class: "site-search-open", "aria-label": "Search", "aria-haspopup": "dialog", "aria-keyshortcuts": "/" });
  opener.append(make("span", { class: "site-search-icon", "aria-hidden": "true" }), make("span", { class: "site-search-word" }, "Search"));
  document.body.append(dialog);
  (header ?? document.body).append(opener);

  let options = [];
  let current = 0;
  const choose = (place) => {
    current = place;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === place)));
    if (options[place]) {
      field.setAttribute("aria-activedescendant", options[place].id);
      options[place].scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  };

  const marked = (text, asked) => {
    const pieces = text.split(/([\p{L}\p{N}]+)/u);
    return pieces.map((piece) => {
      const word = stem(fold(piece));
      return piece && asked.some((one) => one.length > 1 && word.startsWith(one)) ? make("mark", {}, piece) : piece;
    });
  };
  const quote = (text, asked) => {
    const words = text.split(" ");
    const first = words.findIndex((word) => split(word).some((one) => asked.some((a) => stem(one).startsWith(a))));
    const from = first > 12 ? first - 8 : 0;
    const cut = words.slice(from, from + 28);
    return `${from ? "… " : ""}${cut.join(" ")}${from + 28 < words.length ? " …" : ""}`;
  };

  const offer = (links) => {
    options = links.map(({ url, at, title, page, text }, i) => {
      const option = make("a", { role: "option", id: `site-search-${i}`, href: address(url, at), tabindex: "-1", "aria-selected": "false" });
      option.append(make("span", { class: "site-search-title" }, ...title));
      if (page) option.append(make("span", { class: "site-search-page" }, page));
      if (text) option.append(make("span", { class: "site-search-text" }, ...text));
      option.addEventListener("mousemove", () => current !== i && choose(i));
      option.addEventListener("click", () => dialog.close());
      return option;
    });
    list.replaceChildren(...options);
    field.setAttribute("aria-expanded", String(options.length > 0));
    choose(options.length ? 0 : -1);
  };

  const suggest = (words) => {
    status.textContent = words;
    offer(SUGGESTED.map(([url, title]) => ({ url, title: [title] })));
  };

  const answer = () => {
    const query = field.value.trim();
    if (!query) {
      suggest("Pages to start with:");
      return;
    }
    if (!index) {
      status.textContent = "Loading …";
      load().then(answer, () => suggest("The search index cannot be loaded. These pages may help:"));
      return;
    }
    const results = search(index, query).slice(0, MOST);
    if (!results.length) {
      suggest(`No page mentions “${query}”. These pages may help:`);
      return;
    }
    const asked = stems(query).filter((word) => !COMMON.has(word));
    status.textContent = `${results.length === MOST ? `The first ${MOST}` : results.length} ${results.length === 1 ? "result" : "results"}`;
    offer(
      results.map(({ page, part }) => ({
        url: page.url,
        at: part?.at,
        title: marked(part?.title || page.title, asked),
        page: part?.title ? page.title : "",
        text: marked(quote(part?.text ?? page.about ?? "", asked), asked),
      })),
    );
  };

  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    field.focus();
    field.select();
    load().then(answer, answer);
    answer();
  };

  opener.addEventListener("click", open);
  close.addEventListener("click", () => dialog.close());
  field.addEventListener("input", answer);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => opener.focus({ preventScroll: true }));
  field.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && options.length) choose((current + steps[event.key] + options.length) % options.length);
    else if (event.key === "Enter" && options[current]) options[current].click();
    else if (event.key === "Escape") dialog.close(); // A field of searches would only be emptied.
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    const asks = event.key === "/" ? !typing && !event.ctrlKey && !event.metaKey && !event.altKey : event.key === "k" && (event.ctrlKey || event.metaKey);
    if (!asks) return;
    event.preventDefault();
    open();
  });
})();
