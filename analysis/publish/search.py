"""Index of the site's own search: what a reader sees on each page, in one script that is loaded when it is needed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from analysis.base.yamls import read_yaml

INDEX = "search-index.js"
"""The index below ``site/assets/``: a script, because a page that is opened from a file cannot fetch."""

PREFIX = "window.siteIndex = "
SHOWN = 240
"""Characters of a part that a result quotes; of what comes after them the index holds the words, not the sentences."""

_QUIET = frozenset(("script", "style", "svg", "button", "select", "nav", "input", "template"))
_SKIPPED = frozenset(("visually-hidden", "chart-tools", "anchorjs-link", "switcher"))
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4"))
_INLINE = frozenset(("a", "abbr", "b", "code", "em", "i", "mark", "q", "small", "strong", "sub", "sup"))
_UNSEEN = re.compile(r"<(script|style|svg)\b.*?</\1>", re.DOTALL)
_ABOUT = re.compile(r'<meta name="description" content="([^"]*)"')
_WORD = re.compile(r"[^\W\d_][\w'’-]+")


@dataclass(slots=True)
class Part:
    """A piece of a page under a heading or a chart title."""

    at: str
    title: str = ""
    text: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


def write_index(site: Path, root: Path) -> Path:
    """Write the search index of a rendered site.

    Parameters
    ----------
    site : Path
        Folder of the rendered site; its pages lie below ``site/``.
    root : Path
        Project folder, whose ``templates/search.yml`` lists words that readers use for a page.

    Returns
    -------
    Path
        The file. The same pages give the same bytes; the time is linear in their size.
    """
    # Both engines write the index of their own search, also where it is switched off.
    (site / "search.json").unlink(missing_ok=True)
    words = root / "templates" / "search.yml"
    also = read_yaml(words.read_text(encoding="utf-8")) if words.is_file() else {}
    home = site / "site"
    pages = [
        entry
        for path in sorted(home.rglob("*.html"))
        if (entry := _index_page(path.read_text(encoding="utf-8"), path.relative_to(home).as_posix(), also))
    ]
    file = home / "assets" / INDEX
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"pages": pages}, ensure_ascii=False, separators=(",", ":"))
    file.write_text(f"{PREFIX}{text.replace('<', chr(92) + 'u003c')};\n", encoding="utf-8")
    return file


def read_index(text: str) -> str:
    """Return the JSON of an index file, for those who check what it holds."""
    return text.strip().removeprefix(PREFIX).removesuffix(";")


def _index_page(text: str, url: str, also: Mapping[str, str]) -> dict[str, Any] | None:
    """Index one page; None where it only leads to another."""
    reader = _Reader()
    head, _, body = text.partition("<main")
    if "data-moved=" in body:
        return None
    about = _ABOUT.search(head)
    reader.about = html.unescape(about[1]) if about else ""
    reader.feed(_UNSEEN.sub("", f"<main{body.partition('</main>')[0]}</main>"))
    reader.close()
    if not reader.title:
        return None
    # A page that repeats what stands on others is found by its title alone.
    titled = 'data-search="title"' in body
    parts = [] if titled else [entry for part in reader.parts if (entry := _shorten(part, reader.about)) is not None]
    words = {"also": str(also[url])} if url in also else {}
    return {"url": url, "title": reader.title, "about": reader.about, **words, "parts": parts}


def _shorten(part: Part, about: str) -> dict[str, str] | None:
    """Keep the beginning of a part as text, without what the page is about, and of the rest each word once."""
    text = _join(part.text).removeprefix(about).lstrip(" ·")
    shown = text if len(text) <= SHOWN else text[: text.rfind(" ", 0, SHOWN)]
    known = {word.lower() for word in _WORD.findall(f"{part.title} {shown}")}
    rest = sorted({w.lower() for w in _WORD.findall(f"{text[len(shown) :]} {_join(part.rest)}")} - known)
    entry = {"at": part.at, "title": part.title, "text": shown, "words": " ".join(rest)}
    return {name: value for name, value in entry.items() if value} if part.title or shown or rest else None


def _join(pieces: Iterable[str]) -> str:
    return re.sub(r"[\s·]*·[\s·]*", " · ", re.sub(r"\s+", " ", "".join(pieces))).strip(" ·")


class _Reader(HTMLParser):
    """Reads the title and the parts of a page's main text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = self.about = ""
        self.parts: list[Part] = []
        self.stack: list[tuple[str, str]] = []
        self.anchor = ""
        self.heading: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        inside = self._within("main")
        if inside and "id" in known and tag in ("section", "figure", "h1", "h2", "h3", "h4", "div", "details"):
            self.anchor = known["id"]
        if tag in _VOID:
            return
        classes = known.get("class", "").split()
        role = "main" if tag == "main" else ""
        if "chart-title" in classes or "evidence-title" in classes or tag in _HEADINGS:
            role = "title"
        elif tag in _QUIET or _SKIPPED & set(classes) or known.get("aria-hidden") == "true" or "data-size" in known:
            role = "quiet"
        elif tag in ("table", "pre", "code") or "table-twin" in classes:
            role = "rest"
        self.stack.append((tag, role))
        if inside and role == "title":
            self.heading = []
        elif tag not in _INLINE and tag != "span":
            self._add(" · ")

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self.stack):
            return
        while self.stack:
            name, role = self.stack.pop()
            if role == "title" and self.heading is not None:
                self._begin(re.sub(r"\s+", " ", "".join(self.heading)).strip(), name)
            if name == tag:
                break
        if tag not in _INLINE:
            self._add(" " if tag == "span" else " · ")

    def handle_data(self, data: str) -> None:
        if self.heading is not None and not any(role == "quiet" for _, role in self.stack):
            self.heading.append(data)
        else:
            self._add(data)

    def _begin(self, title: str, tag: str) -> None:
        self.heading = None
        if tag == "h1":
            self.title, self.anchor = self.title or title, ""
            self.parts.append(Part(""))
        else:
            self.parts.append(Part(self.anchor, title))

    def _add(self, data: str) -> None:
        roles = {role for _, role in self.stack}
        if not self.parts or "main" not in roles or "quiet" in roles:
            return
        (self.parts[-1].rest if "rest" in roles else self.parts[-1].text).append(data)

    def _within(self, tag: str) -> bool:
        return any(name == tag for name, _ in self.stack)
