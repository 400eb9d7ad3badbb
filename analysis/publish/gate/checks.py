"""Rules of the publication check: privacy, links, size and requests to other hosts."""

from __future__ import annotations

import gzip
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from analysis.base.disclosure import COUNT_STEP
from analysis.base.locales import localized
from analysis.publish.gate.disclosure import (
    Finding,
    Index,
    code_contacts,
    find_contacts,
    find_figures,
    find_private,
    find_small_cells,
    find_subtractions,
    find_unequal_totals,
    index_values,
    normalise,
)
from analysis.publish.gate.documents import Document, Tag, read_site
from analysis.publish.search import INDEX
from analysis.report.private import Private, private_from_build, write_private

__all__ = ["Budget", "Private", "Refusal", "check", "private_from_build", "write_private"]

SEARCH = f"site/assets/{INDEX}"
SEARCHES = frozenset((SEARCH, "search.json"))
"""Indexes that repeat the text of pages: that of this site, and Quarto's where its search is on."""
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
OFF_HOST = re.compile(r"(?:(?:https?|wss?|ftp):)?//", re.IGNORECASE)
ACTIVE = re.compile(r"(?:javascript|vbscript|livescript):|data:(?!image/|font/)", re.IGNORECASE)
ADDRESSES = frozenset(
    ("href", "src", "xlink:href", "poster", "data", "action", "formaction", "background", "ping", "manifest")
)
UNREQUESTED_RELS = frozenset(
    (
        "canonical",
        "alternate",
        "next",
        "prev",
        "license",
        "author",
        "me",
        "help",
        "up",
        "first",
        "last",
        "bookmark",
    )
)
CSS_URL = re.compile(r"url\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^)\s\"']*))\s*\)|@import\s+[\"']([^\"']+)", re.IGNORECASE)
REFRESH = re.compile(r"url\s*=\s*['\"]?([^'\"\s]+)", re.IGNORECASE)
SCRIPT_REQUEST = re.compile(
    r"(?:\b(?:fetch|import|importScripts|Worker|WebSocket|EventSource|sendBeacon|getJSON|ajax)\s*\("
    r"|\.(?:src|href|action)\s*=(?!=)"
    r"|\bfrom|\bimport|\.open\(\s*[\"']\w+[\"']\s*,)\s*[\"'`]((?:(?:https?|wss?):)?//[^\"'`\s]+)"
)
ENGINE_SCRIPT_IDS = frozenset(("quarto-html-before-body", "quarto-html-after-body"))
ENGINE_SCRIPTS = (
    "(function(){var d=document.documentElement,s=null;try{s=localStorage.getItem('smalldocs-scheme')}",
    'window.document.addEventListener("DOMContentLoaded", function (_event) { const listingTargetEl',
    'var redirects = {"":"',
)
OWN_SCRIPTS = Path(__file__).parents[3] / "templates" / "after-body.html"
ENGINE_HANDLER = re.compile(
    r"(?:if \(window\.quarto\w+\) \{ )?"
    r"window\.(?:(?:quarto|smalldocs)[A-Z]\w*\((?:'[\w%=+/-]*')?\)|scrollTo\(0, 0\));?"
    r"(?: \})?(?: return false;?)?"
)
CHART_LIBRARY = re.compile(r"site/assets/vega-[0-9a-f]{8}\.js")
"""The library that draws the charts: its words are not the data's."""
MARKS = re.compile(r"<<|>>|\{\{|\}\}|<%|%>|\{%|%\}|\?(?:var|meta):\w|\[object Object\]|^\s*:::")
NO_NUMBER = re.compile(r"(?:nan|NaN|NaT|<NA>|undefined|null|-?inf|-?Infinity)")
BAD_NUMBER = re.compile(
    r"(?:^|[\s£$€(+-])(?:None|nan|NaN|inf|undefined)"
    r"(?=\s?(?:%|£|€|customers?\b|per cent\b|points\b|years\b|days\b|orders\b))"
)
SHOWN_ATTRIBUTES = frozenset(
    (
        "alt",
        "title",
        "aria-label",
        "aria-description",
        "placeholder",
        "content",
        "data-title",
        "summary",
        "label",
    )
)


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that one page may weigh, in bytes: as it stands, with its specifications, and compressed."""

    html: int = 300_000
    gzip: int = 60_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason not to publish: the file below the site, the line, the rule's name, and what is wrong."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the rules are given: the parsed site, what is private, the budget, and what follows from them."""

    documents: dict[str, Document]
    private: Private
    budget: Budget
    keys: Index
    free_text: Index
    key_names: frozenset[str]
    samples: frozenset[str]
    own: frozenset[str]
    anchors: dict[str, frozenset[str]]

    @property
    def step(self) -> int:
        """Multiples of which rounded counts are."""
        return self.private.min_cell if self.private.internal else COUNT_STEP


def check(site: Path, private: Private, budget: Budget = Budget()) -> list[Refusal]:
    """Check the rendered site against all rules.

    Parameters
    ----------
    site : Path
        The root of the rendered tree.
    private : Private
        What must not appear. Where it is not known, keys and free text are not looked for.
    budget : Budget, optional
        The most that a page may weigh.

    Returns
    -------
    list of Refusal
        Sorted by file, line, rule and message; empty if the site may be published. The time is linear in the
        size of the site and in the number of private values.
    """
    documents = {document.file: document for document in read_site(site)}
    scene = Scene(
        documents,
        private,
        budget,
        index_values(private.keys),
        index_values(private.free_text),
        frozenset(map(normalise, private.key_names)),
        code_contacts(documents.values()),
        _own_scripts(),
        {name: _anchors(document) for name, document in documents.items() if document.tags},
    )
    with localized(private.locale):
        refusals = {
            Refusal(document.file, finding.line, name, finding.message)
            for name, rule in RULES.items()
            for document in documents.values()
            for finding in rule(document, scene)
        }
        refusals |= {
            Refusal(file, finding.line, "subtraction", finding.message)
            for file, finding in find_unequal_totals(documents.values(), private.min_cell, scene.step)
        }
    if not any(document.is_page for document in documents.values()):
        refusals.add(Refusal(".", 1, "links", "there is no page here"))
    return sorted(refusals, key=lambda refusal: (refusal.file, refusal.line, refusal.rule, refusal.message))


def _anchors(document: Document) -> frozenset[str]:
    names = {tag.attrs["id"] for tag in document.tags if "id" in tag.attrs}
    return frozenset(names | {tag.attrs["name"] for tag in document.tags if tag.name == "a" and "name" in tag.attrs})


def _refers(document: Document) -> Iterator[tuple[str, int, bool, str]]:
    """Yield (address, line, requested on load, where it stands) for every reference of a document."""
    for tag in filter(lambda tag: tag.attrs, document.tags):
        yield from _tag_refers(tag)
    for script in document.scripts:
        if script.name == "style":
            for address, offset in _css_addresses(script.body):
                yield address, script.line + offset, True, "<style>"
    if document.suffix == ".css":
        for address, offset in _css_addresses(document.text):
            yield address, 1 + offset, True, "the style sheet"


def _tag_refers(tag: Tag) -> Iterator[tuple[str, int, bool, str]]:
    """Yield the references of a tag's attributes."""
    for name in ADDRESSES & tag.attrs.keys():
        if name != "data" or tag.name == "object":
            yield tag.attrs[name].strip(), tag.line, _is_requested(tag, name), f"<{tag.name} {name}>"
    for name in {"srcset", "imagesrcset"} & tag.attrs.keys():
        for part in tag.attrs[name].split(", "):
            if part.strip():
                yield part.split()[0], tag.line, True, f"<{tag.name} {name}>"
    if tag.name == "meta" and tag.attrs.get("http-equiv", "").lower() == "refresh":
        for address in REFRESH.findall(tag.attrs.get("content", "")):
            yield address, tag.line, True, "<meta refresh>"
    for address, _ in _css_addresses(tag.attrs["style"]) if "style" in tag.attrs else ():
        yield address, tag.line, True, f"<{tag.name} style>"


def _css_addresses(text: str) -> Iterator[tuple[str, int]]:
    if "url(" in text or "@import" in text:
        for match in CSS_URL.finditer(text):
            yield next((part for part in match.groups() if part), ""), text.count("\n", 0, match.start())


def _is_requested(tag: Tag, attribute: str) -> bool:
    """Whether a browser asks for the address by itself; a link that the reader follows is no such request."""
    if tag.name == "link":
        return not set(tag.attrs.get("rel", "").lower().split()) <= UNREQUESTED_RELS
    return attribute == "ping" or tag.name not in ("a", "area")


def refuse_links(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find internal links without a target, and addresses that are not relative."""
    for address, line, _, where in _refers(document):
        if SCHEME.match(address) or OFF_HOST.match(address) or not address:
            continue
        path, _, anchor = address.partition("#")
        path = unquote(path.partition("?")[0])
        if path.startswith("/") and document.file != "404.html":
            yield Finding(line, f"{where} {address}: an address must be relative")
            continue
        target = _resolve(document.file, path, scene.documents)
        if target is None:
            yield Finding(line, f"{where} {address}: no such file")
            continue
        anchor = unquote(anchor).partition(":~:")[0]
        known = scene.anchors.get(target)
        if known is not None and anchor and anchor != "top" and anchor not in known:
            yield Finding(line, f"{where} {address}: {target} has no id “{anchor}”")
    if document.file == SEARCH:
        yield from _refuse_lost_results(document, scene)


def _refuse_lost_results(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find results of the search that lead to no page or to no place on it."""
    for line, value in document.values:
        for page in value.get("pages", []) if isinstance(value, dict) else []:
            target = posixpath.join(posixpath.dirname(posixpath.dirname(document.file)), page["url"])
            known = scene.anchors.get(target)
            if known is None:
                yield Finding(line, f"{page['url']}: no such page")
                continue
            for anchor in sorted({part.get("at", "") for part in page["parts"]} - known - {""}):
                yield Finding(line, f"{page['url']}#{anchor}: no such place")


def _resolve(file: str, path: str, documents: dict[str, Document]) -> str | None:
    """Return the file that a path leads to; a root-absolute one may begin with the name of the project."""
    if path.startswith("/"):
        whole = posixpath.normpath(path).lstrip("/")
        tails = [whole, whole.partition("/")[2]]
    else:
        tails = [posixpath.normpath(posixpath.join(posixpath.dirname(file), path)) if path else file]
    for tail in tails:
        for name in (tail, posixpath.join(tail.removeprefix(".").rstrip("/"), "index.html")):
            if name in documents:
                return name
    return None


def refuse_off_host(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find requests to other hosts; links that a reader follows are allowed."""
    for address, line, requested, where in _refers(document):
        if requested and OFF_HOST.match(address):
            yield Finding(line, f"{where} asks another host for {address[:80]}")
    if not document.is_engine:
        bodies = [(script.body, script.line) for script in document.scripts if script.name == "script"]
        bodies += [(document.text, 1)] if document.suffix in (".js", ".mjs") else []
        for body, line in bodies:
            for match in SCRIPT_REQUEST.finditer(body):
                yield Finding(
                    line + body.count("\n", 0, match.start(1)),
                    f"the script asks another host for {match[1][:80]}",
                )
    for text in document.texts:
        if (
            text.origin == "json"
            and text.holder in ("url", "src", "image")
            and OFF_HOST.match(text.value)
            and document.is_page
        ):
            line = document.find_line(re.escape(text.value), text.line)
            yield Finding(line, f"the specification asks another host for {text.value[:80]}")


def refuse_duplicate_ids(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find duplicate ids on a page; those of `<link>` are ignored, because Quarto repeats them."""
    places = [(tag.attrs["id"], tag.line) for tag in document.tags if tag.attrs.get("id") and tag.name != "link"]
    counts = Counter(name for name, _ in places)
    for name, count in counts.items():
        if count > 1:
            line = [line for other, line in places if other == name][1]
            yield Finding(line, f"the id “{name}” stands {count} times")


def refuse_marks(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find template syntax and missing numbers in visible text, code excepted."""
    for text in document.texts:
        shown = text.origin == "text" or (text.origin == "attribute" and text.holder in SHOWN_ATTRIBUTES)
        if not shown or text.code:
            continue
        value = text.value
        for words in scene.private.marked:
            value = value.replace(words, "")
        if mark := MARKS.search(value):
            yield Finding(text.line, f"“{mark[0].strip()}” is left in “{text.value.strip()[:60]}”")
        elif bare := NO_NUMBER.fullmatch(text.value.strip()):
            yield Finding(text.line, f"“{bare[0]}” stands where a number or a word should")
        elif text.value.strip() == "None" and text.holder in ("td", "th", "b", "strong", "data", "dd"):
            yield Finding(text.line, "“None” stands where a number or a word should")
        elif bad := BAD_NUMBER.search(text.value):
            yield Finding(text.line, f"“{bad[0].strip()}” stands where a number should, in “{text.value.strip()[:60]}”")


def refuse_weight(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find pages, with their chart specifications, that exceed the size budget."""
    if not document.is_page:
        return
    packed = len(gzip.compress(document.text.encode(), compresslevel=6, mtime=0))
    for size, most, how in (
        (document.size, scene.budget.html, ""),
        (packed, scene.budget.gzip, " compressed"),
    ):
        if size > most:
            yield Finding(1, f"the page weighs {size / 1000:,.1f} kB{how}; the budget is {most / 1000:,.0f} kB")


def refuse_active_text(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find active content other than the scripts of the engine and the site."""
    for tag in document.tags:
        for name, value in tag.attrs.items():
            if name in ADDRESSES and ACTIVE.match(re.sub(r"[\x00-\x20]+", "", value)):
                yield Finding(tag.line, f"<{tag.name} {name}> would run its address")
            elif name.startswith("on") and (not document.is_page or not ENGINE_HANDLER.fullmatch(_joined(value))):
                yield Finding(tag.line, f"<{tag.name} {name}> would run “{value[:40]}”")
            elif name == "srcdoc":
                yield Finding(tag.line, f"<{tag.name} srcdoc> holds a page of its own")
        if tag.name in ("base", "object", "embed", "applet", "iframe", "frame", "portal"):
            yield Finding(tag.line, f"<{tag.name}> has no place on these pages")
    for script in document.scripts:
        if script.name != "script" or "json" in script.attrs.get("type", "").lower() or not script.body.strip():
            continue
        body = _joined(script.body)
        known = script.attrs.get("id") in ENGINE_SCRIPT_IDS or body.startswith(ENGINE_SCRIPTS) or body in scene.own
        if script.in_main or not document.is_page or not known:
            yield Finding(script.line, f"an inline script would run “{body[:40]}”")


def _own_scripts() -> frozenset[str]:
    """Return the inline scripts that the project itself puts at the end of each page."""
    text = OWN_SCRIPTS.read_text(encoding="utf-8") if OWN_SCRIPTS.exists() else ""
    return frozenset(map(_joined, re.findall(r"<script>(.*?)</script>", text, re.DOTALL)))


def _joined(text: str) -> str:
    return " ".join(text.split())


def refuse_unread(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find files that cannot be searched and are neither pictures nor fonts."""
    for line, reason in document.faults:
        yield Finding(line, reason)


def refuse_invalid(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find elements that are not closed, or not allowed in their parent."""
    if document.is_page:
        for line, reason in document.slips:
            yield Finding(line, reason)


def refuse_keys(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find customer keys."""
    if scene.private.known and not CHART_LIBRARY.fullmatch(document.file):
        yield from find_private(document, scene.keys, scene.key_names, "a customer's key")


def refuse_free_text(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find values of free-text columns."""
    if scene.private.known and not CHART_LIBRARY.fullmatch(document.file):
        yield from find_private(document, scene.free_text, frozenset(), "free text of the sources")


def refuse_figures(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find lists of numbers of single customers."""
    if scene.private.figures and not CHART_LIBRARY.fullmatch(document.file):
        yield from find_figures(document, scene.private.figures)


def refuse_contacts(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find e-mail addresses and telephone numbers."""
    yield from find_contacts(document, scene.samples if document.file in SEARCHES else frozenset())


def refuse_small_cells(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find counts of customers below the smallest publishable count."""
    yield from find_small_cells(document, scene.private.min_cell)


def refuse_subtractions(document: Document, scene: Scene) -> Iterator[Finding]:
    """Find totals that reveal a small count by subtraction."""
    yield from find_subtractions(document, scene.private.min_cell, scene.step)


RULES: dict[str, Callable[[Document, Scene], Iterator[Finding]]] = {
    "links": refuse_links,
    "off-host": refuse_off_host,
    "duplicate-ids": refuse_duplicate_ids,
    "marks": refuse_marks,
    "weight": refuse_weight,
    "active-text": refuse_active_text,
    "unread": refuse_unread,
    "valid-html": refuse_invalid,
    "keys": refuse_keys,
    "free-text": refuse_free_text,
    "figures": refuse_figures,
    "contacts": refuse_contacts,
    "small-cells": refuse_small_cells,
    "subtraction": refuse_subtractions,
}
