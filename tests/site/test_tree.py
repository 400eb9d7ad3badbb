"""The rendered tree, read as a reader's tools read it: pages, headings, charts, links, weight."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from analysis.publish.gate.checks import Budget, check, private_from_build
from analysis.publish.search import INDEX, read_index
from tests.conftest import BY_QUARTO, CUSTOMERS, BuiltSite

BEFORE = {
    f"site/{name}.html"
    for name in (
        "act", "algorithms", "architecture", "card", "changes", "choices", "commands", "compare", "data", "dictionary",
        "evidence", "explore", "extend", "finder", "glossary", "index", "methodology", "placing", "proof", "reproduce",
        "segments/index", "settings", "stability", "validation", "workshop",
    )
}  # fmt: skip
"""Every page of the site before it had a manual of its own; personas keep their addresses, too."""
SECTIONS = (
    {"act.html", "briefs.html", "finder.html", "placing.html", "downloads.html"},
    {
        "evidence.html", "stability.html", "algorithms.html", "choices.html", "proof.html", "explore.html", "data.html",
        "dictionary.html", "methodology.html", "card.html", "how.html",
    },
)  # fmt: skip
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
PROSE = {"404.html", "site/manual/reproduce.html", "site/manual/extend.html"}
FORWARDS = {"site/workshop.html"}
"""Pages that only lead to another."""
MANUAL = ("architecture", "commands", "disclosure", "extend", "glossary", "reproduce", "settings", "validation")
OLD = {f"site/{name}.html" for name in (*MANUAL, "changes") if name != "disclosure"}
"""Addresses of earlier sites, which lead to where their pages stand now."""
EXPECTED = {
    "404.html", "site/index.html", "site/segments/index.html", "site/compare.html", "site/explore.html",
    "site/evidence.html",
    "site/how.html", "site/downloads.html", "site/placing.html", "site/finder.html", "site/stability.html",
    "site/algorithms.html",
    "site/choices.html", "site/proof.html", "site/data.html", "site/dictionary.html",
    "site/card.html", "site/methodology.html",
    "site/manual/validation.html", "site/manual/speed.html", "site/manual/reproduce.html", "site/workshop.html",
    "site/act.html",
    "site/briefs.html",
    "site/manual/glossary.html", "site/manual/settings.html", "site/manual/commands.html",
    "site/manual/disclosure.html",
    "site/manual/architecture.html", "site/manual/extend.html",
    "site/manual/audiences.html", "site/manual/tests.html",
}  # fmt: skip


@dataclass(slots=True)
class Element:
    """A piece of a page and what stands in it."""

    name: str
    attrs: dict[str, str]
    children: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def all(self, tag: str = "", /, **attrs: str) -> Iterator[Element]:
        """Give every element below, by name and by a word in an attribute."""
        for child in self.children:
            matches = all(word in child.attrs.get(key, "").split() for key, word in attrs.items())
            if tag in ("", child.name) and matches:
                yield child
            yield from child.all(tag, **attrs)

    def one(self, tag: str, /, **attrs: str) -> Element:
        """Give the only such element."""
        (found,) = self.all(tag, **attrs)
        return found

    def text(self) -> str:
        """Give the words that a reader sees."""
        hidden = self.name in {"script", "style", "svg"}
        parts = [*self.words, *(child.text() for child in self.children)]
        return "" if hidden else " ".join(" ".join(parts).split())


class Reader(HTMLParser):
    """Build the elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Element("", {})
        self.open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].name == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        # Words of a child keep their place as an element without a name.
        self.open[-1].children.append(Element("#", {}, words=[data]))


def read(path: Path) -> Element:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.top


@pytest.fixture(scope="session")
def pages(built_site: BuiltSite) -> dict[str, Element]:
    """Read every page but the redirect at the root."""
    found = {p.relative_to(built_site.site).as_posix(): p for p in sorted(built_site.site.rglob("*.html"))}
    return {name: read(path) for name, path in found.items() if name not in OLD | {"index.html"}}


@pytest.fixture(scope="session")
def charts(pages: dict[str, Element]) -> list[tuple[str, Element]]:
    """Give every chart with the page on which it stands."""
    return [(name, figure) for name, page in pages.items() for figure in page.all("figure", **{"class": "chart"})]


def test_the_gate_passes(built_site: BuiltSite) -> None:
    private = private_from_build(built_site.root / "build")
    assert private.known and len(private.keys) == built_site.n_customers
    assert check(built_site.site, private) == []


def test_every_page_is_there(pages: dict[str, Element], built_site: BuiltSite) -> None:
    report = json.loads((built_site.root / "build/report.json").read_text(encoding="utf-8"))
    personas = {f"site/segments/{segment['slug']}.html" for segment in report["segments"]}
    assert len(personas) >= 2
    assert set(pages) == EXPECTED | personas


def test_every_page_has_its_own_title_and_description(pages: dict[str, Element]) -> None:
    titles = [page.one("title").text() for page in pages.values()]
    descriptions = [page.one("meta", name="description").attrs["content"] for page in pages.values()]
    assert len(set(titles)) == len(titles)
    assert len(set(descriptions)) == len(descriptions)
    assert min(map(len, titles)) > 5 and min(map(len, descriptions)) > 20


def test_every_page_names_its_language(pages: dict[str, Element]) -> None:
    assert {page.one("html").attrs.get("lang") for page in pages.values()} == {"en"}


def test_every_page_has_one_first_heading_and_skips_no_level(pages: dict[str, Element]) -> None:
    for name, page in pages.items():
        levels = [int(e.name[1]) for e in page.one("main").all() if re.fullmatch("h[1-6]", e.name)]
        assert levels[0] == 1 and levels.count(1) == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels)), (name, levels)


def test_every_heading_says_something(pages: dict[str, Element]) -> None:
    for name, page in pages.items():
        assert all(e.text() for e in page.one("main").all() if re.fullmatch("h[1-6]", e.name)), name


def test_there_are_at_least_ten_charts_and_none_twice(charts: list[tuple[str, Element]]) -> None:
    names = [figure.attrs["id"] for _, figure in charts]
    assert len({re.sub(r"-(column|profile|mix)-.*", r"-\1", name) for name in names}) >= 10
    assert len(set(names)) == len(names)


def test_every_chart_has_caption_picture_table_and_downloads(
    charts: list[tuple[str, Element]], built_site: BuiltSite
) -> None:
    for page, figure in charts:
        name = figure.attrs["id"]
        picture = figure.one("img", **{"class": "chart-static"})
        assert len(picture.attrs["alt"]) > 15, name
        assert int(picture.attrs["width"]) > 100 and int(picture.attrs["height"]) > 30, name
        drawing = (built_site.site / page).parent / picture.attrs["src"]
        assert ElementTree.parse(drawing).getroot().tag.endswith("}svg"), name
        assert len(figure.one("p", **{"class": "chart-title"}).text()) > 10, name
        assert len(figure.one("p", **{"class": "chart-caption"}).text()) > 8, name
        table = figure.one("details", **{"class": "table-twin"}).one("table")
        widths = {len([c for c in row.children if c.name in ("th", "td")]) for row in table.all("tr")}
        assert len(widths) == 1 and len(list(table.all("tr"))) >= 2, name
        assert table.one("caption").text(), name
        kinds = {button.attrs["data-download"] for button in figure.all("button")}
        assert kinds == {"png", "svg", "csv", "copy"}, name


def test_every_specification_is_small_and_holds_its_data(charts: list[tuple[str, Element]]) -> None:
    for _, figure in charts:
        text = "".join(part.words[0] for part in figure.one("script", **{"class": "chart-spec"}).children)
        spec = json.loads(text)
        assert '"url"' not in text and "http" not in text, figure.attrs["id"]
        assert len(spec.get("datasets", {})) or "values" in text, figure.attrs["id"]
        assert len(text) < 30_000, (figure.attrs["id"], len(text))


def test_every_chart_names_the_bundle_that_is_there(charts: list[tuple[str, Element]], built_site: BuiltSite) -> None:
    (bundle,) = (built_site.site / "site/assets").glob("vega-*.js")
    assert {figure.attrs["data-bundle"] for _, figure in charts} == {bundle.name}


def test_links_are_relative_and_lead_somewhere(pages: dict[str, Element], built_site: BuiltSite) -> None:
    n_links = 0
    for name, page in pages.items():
        for element in page.all():
            for key in ("href", "src"):
                address = urlsplit(element.attrs.get(key, ""))
                if key not in element.attrs or address.scheme or not address.path:
                    continue
                assert not address.netloc, (name, element.attrs[key])
                assert not address.path.startswith("/") or name == "404.html", (name, element.attrs[key])
                target = (built_site.site / name).parent / unquote(address.path)
                target = built_site.site / unquote(address.path).lstrip("/") if address.path.startswith("/") else target
                if target.is_dir():
                    target /= "index.html"
                assert target.is_file(), (name, element.attrs[key])
                if address.fragment and target.suffix == ".html":
                    ids = {e.attrs.get("id") for e in read(target).all()}
                    assert unquote(address.fragment) in ids, (name, element.attrs[key])
                n_links += 1
    assert n_links > 100


def test_every_persona_is_linked_from_the_overview_and_from_its_neighbours(pages: dict[str, Element]) -> None:
    personas = {name.rsplit("/", 1)[1] for name in pages if name.startswith("site/segments/")} - {"index.html"}

    def linked(name: str) -> set[str]:
        return {a.attrs.get("href", "").rsplit("/", 1)[-1].split("#")[0] for a in pages[name].one("main").all("a")}

    assert personas <= linked("site/index.html")
    assert personas <= linked("site/segments/index.html")
    for persona in personas:
        assert personas - {persona} <= linked(f"site/segments/{persona}")


def test_pages_stay_within_the_weight_budget(pages: dict[str, Element], built_site: BuiltSite) -> None:
    for name in pages:
        data = (built_site.site / name).read_bytes()
        assert len(data) <= Budget().html, name
        assert len(gzip.compress(data, mtime=0)) <= Budget().gzip, name
    whole = sum(p.stat().st_size for p in built_site.site.rglob("*") if p.is_file())
    assert whole < 8_000_000


QUOTING = ("settings", "architecture", "disclosure")


def test_no_number_is_missing_in_the_words(pages: dict[str, Element]) -> None:
    holes = re.compile(r"\b(None|nan|NaN|NaT|inf|undefined|null)\b|[<{]{2}|[>}]{2}")
    for name, page in pages.items():
        # These quote the code, where None is a value, or a workflow with braces.
        if name in PROSE | FORWARDS | {f"site/manual/{each}.html" for each in QUOTING}:
            continue
        # The verdict of this name is a word of its own; fields of the JSON file can be null.
        words = page.one("main").text().replace("None shuffled", "").replace("; null", "")
        assert len(words) > 150, name
        found = [words[max(0, m.start() - 30) : m.end() + 20] for m in holes.finditer(words)]
        assert found == [], name
        for attribute in ("alt", "aria-label", "title"):
            assert not [e.attrs[attribute] for e in page.all() if holes.search(e.attrs.get(attribute, ""))], name


def test_the_overview_answers_in_its_first_sentence(pages: dict[str, Element], built_site: BuiltSite) -> None:
    page = pages["site/index.html"].one("main")
    assert re.search(r"customers? brings? |customers form ", page.one("h1").text())
    assert f"{built_site.n_customers:,} synthetic customers" in page.one("header").text()


def test_the_search_index_holds_every_page_and_no_specification(
    pages: dict[str, Element], built_site: BuiltSite
) -> None:
    text = (built_site.site / "site/assets" / INDEX).read_text(encoding="utf-8")
    found = {f"site/{page['url']}" for page in json.loads(read_index(text))["pages"]}
    assert set(pages) - {"404.html"} - FORWARDS == found
    assert '"mark"' not in text and "$schema" not in text
    assert not (built_site.site / "search.json").exists()


@pytest.mark.parametrize("built_site", [*CUSTOMERS, BY_QUARTO], indirect=True, scope="session")
def test_every_address_of_earlier_sites_leads_to_a_page(pages: dict[str, Element], built_site: BuiltSite) -> None:
    report = json.loads((built_site.root / "build/report.json").read_text(encoding="utf-8"))
    personas = {f"site/segments/{segment['slug']}.html" for segment in report["segments"]}
    for name in sorted(BEFORE | personas):
        page = built_site.site / name
        assert page.is_file(), name
        refresh = [e for e in read(page).all("meta") if e.attrs.get("http-equiv") == "refresh"]
        if refresh:
            target = refresh[0].attrs["content"].partition("url=")[2]
            assert (page.parent / target).resolve().is_file(), (name, target)
    assert OLD <= BEFORE


def test_the_bar_and_the_lists_of_pages_are_the_same_everywhere(pages: dict[str, Element]) -> None:
    for name, page in pages.items():
        bar = [a.text() for a in page.one("header", id="quarto-header").all("a", **{"class": "nav-link"})]
        assert [text for text in bar if text] == ["Overview", "Personas", "Compare", "Act", "Evidence"], name
        listed = {Path(a.attrs["href"]).name for a in page.all("a", **{"class": "sidebar-link"}) if "href" in a.attrs}
        section = next((words for words in SECTIONS if Path(name).name in words and name.count("/") == 1), set())
        section = {f"{word}.html" for word in MANUAL} if name.startswith("site/manual/") else section
        assert section <= listed, name
        assert bool(listed) == (name not in {"404.html", "site/index.html", "site/compare.html", "site/workshop.html"})
        footer = [a.attrs["href"] for a in page.one("footer").all("a")]
        assert len(footer) == 2 and footer[1].endswith("reproduce.html"), name


@pytest.mark.parametrize("built_site", [*CUSTOMERS, BY_QUARTO], indirect=True, scope="session")
def test_the_list_of_a_section_holds_pages_that_are_there_and_nothing_else(built_site: BuiltSite) -> None:
    for name, section in zip(("act", "evidence"), SECTIONS, strict=True):
        page = read(built_site.site / "site" / f"{name}.html")
        links = {Path(a.attrs["href"]).name for a in page.all("a", **{"class": "sidebar-link"}) if "href" in a.attrs}
        assert {Path(link).name for link in links} >= section - {f"{name}.html"}, name
        assert all((built_site.site / "site" / link).is_file() for link in links - {"#"}), name
        texts = [item.text() for item in page.all("li", **{"class": "sidebar-item"})]
        assert texts and not [text for text in texts if "*" in text or ".qmd" in text], name


def test_the_root_leads_to_the_overview(built_site: BuiltSite) -> None:
    redirect = read(built_site.site / "index.html")
    refresh = next(e for e in redirect.all("meta") if e.attrs.get("http-equiv") == "refresh")
    assert refresh.attrs["content"].endswith("url=site/index.html")
