"""The site's search in Chromium: what comes first, the keyboard, the panel above everything, from a file too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.publish.search import INDEX, read_index, write_index
from tests.conftest import BY_QUARTO, BuiltSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.parametrize("built_site", ["default twin", BY_QUARTO], indirect=True, scope="session")

FIRST = {
    "how many customers": "index.html",
    "all personas": "segments/index.html",
    "side by side": "compare.html",
    "heat map": "compare.html",
    "what to do": "act.html",
    "control group": "act.html",
    "campaign": "act.html",
    "find a persona": "finder.html",
    "export": "downloads.html",
    "sql": "placing.html",
    "how many segments": "evidence.html",
    "elbow": "evidence.html",
    "silhouette": "evidence.html",
    "stability": "stability.html",
    "dendrogram": "algorithms.html",
    "k-means": "algorithms.html",
    "holdout": "proof.html",
    "parallel coordinates": "explore.html",
    "missing values": "data.html",
    "outliers": "data.html",
    "dictionary": "dictionary.html",
    "fairness": "card.html",
    "nine steps": "how.html",
    "adjusted Rand index": "manual/glossary.html",
    "glossary": "manual/glossary.html",
    "command line": "manual/commands.html",
    "install": "manual/reproduce.html",
}
"""What a reader asks, and the page that answers it."""

MISSPELT = {
    "silhuette": "evidence.html",
    "stabilty": "stability.html",
    "fairnes": "card.html",
    "algoritms": "algorithms.html",
}
CORNERS = """() => {
    const panel = document.querySelector("#site-search").getBoundingClientRect();
    const at = (x, y) => document.elementFromPoint(x, y)?.closest("#site-search") !== null;
    const [left, right, top, bottom] = [panel.left + 9, panel.right - 9, panel.top + 9, panel.bottom - 9];
    return [panel.left >= 0 && panel.right <= innerWidth && panel.top >= 0 && panel.bottom <= innerHeight,
        at(left, top), at(right, top), at(left, bottom), at(right, bottom)];
}"""


@pytest.fixture(scope="module")
def address(built_site: BuiltSite, serve: Callable[[Path], str]) -> str:
    return serve(built_site.site)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def open_search(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(".site-search-open")
    page.keyboard.press("/")
    page.wait_for_function("window.siteIndex")


def ask(page: Page, query: str) -> list[str]:
    """Type a query and give the addresses of the results below ``site/``."""
    page.locator("#site-search-field").fill(query)
    links = "[...document.querySelectorAll('#site-search-results a')].map((a) => a.href.split('/site/')[1])"
    page.wait_for_function(f"({links}).length > 0")
    return page.evaluate(links)


def pages_of(built_site: BuiltSite) -> list[dict[str, Any]]:
    text = (built_site.site / "site/assets" / INDEX).read_text(encoding="utf-8")
    return json.loads(read_index(text))["pages"]


def test_what_readers_ask_finds_the_page_that_answers(built_site: BuiltSite, address: str, page: Page) -> None:
    report = json.loads((built_site.root / "build/report.json").read_text(encoding="utf-8"))
    personas = {s["name"]: f"segments/{s['slug']}.html" for s in report["segments"]}
    expected = FIRST | MISSPELT | personas | {name.lower(): url for name, url in personas.items()}
    assert len(expected) >= 35
    open_search(page, f"{address}/site/act.html")
    found = {query: ask(page, query)[0].split("#")[0] for query in expected}
    assert found == expected


def test_words_of_the_data_lead_to_what_is_said_of_them(address: str, page: Page) -> None:
    open_search(page, f"{address}/site/act.html")
    for word in ("wine", "discount", "catalogue", "income", "web visits"):
        results = ask(page, word)
        assert len({result.split("#")[0] for result in results}) >= 3, word
        first = page.locator("#site-search-results a").first
        stem = word.rstrip("s")
        assert stem in first.inner_text().lower(), (word, first.inner_text())


def test_a_word_that_is_nowhere_gives_pages_instead_of_guesses(address: str, page: Page) -> None:
    open_search(page, f"{address}/site/act.html")
    for word in ("zebra", "qqqq", "xylophone house"):
        results = ask(page, word)
        assert page.locator(".site-search-status").inner_text().startswith(f"No page mentions “{word}”")
        assert results[:2] == ["index.html", "segments/index.html"]


def test_the_keyboard_opens_moves_follows_and_closes(address: str, page: Page) -> None:
    open_search(page, f"{address}/site/index.html")
    field = page.locator("#site-search-field")
    assert field.evaluate("(e) => e === document.activeElement")
    results = ask(page, "stability")
    chosen = "#site-search-results [aria-selected=true]"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.locator(chosen).get_attribute("href").endswith(results[1])
    assert field.get_attribute("aria-activedescendant") == page.locator(chosen).get_attribute("id")
    page.keyboard.press("Escape")
    page.wait_for_selector("#site-search", state="hidden")
    page.wait_for_function("document.activeElement.className === 'site-search-open'")
    page.keyboard.press("Enter")
    ask(page, "stability")
    page.keyboard.press("Enter")
    page.wait_for_url("**/site/stability.html")


def test_a_slash_in_a_field_is_a_slash(address: str, page: Page) -> None:
    page.goto(f"{address}/site/act.html")
    page.wait_for_selector(".site-search-open")
    page.locator("#act-budget").focus()
    page.keyboard.press("/")
    assert not page.locator("#site-search").is_visible()


def test_search_works_from_a_file(built_site: BuiltSite, page: Page) -> None:
    open_search(page, (built_site.site / "site/segments/index.html").as_uri())
    assert ask(page, "holdout")[0] == "proof.html"
    page.keyboard.press("Enter")
    page.wait_for_url("**/site/proof.html")


def test_a_page_does_not_load_the_index_before_it_is_asked(address: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/site/index.html")
    page.wait_for_selector(".site-search-open")
    assert not [url for url in asked if INDEX in url]


def test_the_index_holds_what_a_reader_sees_and_is_small(built_site: BuiltSite, tmp_path: Path) -> None:
    pages = {page["url"]: page for page in pages_of(built_site)}
    home = built_site.site / "site"
    shown = {p.relative_to(home).as_posix() for p in home.rglob("*.html") if "<main" in p.read_text(encoding="utf-8")}
    assert shown - set(pages) == {"workshop.html"}
    words = json.dumps(pages["act.html"]).lower()
    report = json.loads((built_site.root / "build/report.json").read_text(encoding="utf-8"))
    assert all(s["name"].lower() in json.dumps(pages["index.html"]).lower() for s in report["segments"])
    assert "where to start" in words
    titles = {part.get("title") for page in pages.values() for part in page["parts"]}
    assert "Adjusted Rand index" in titles and len(titles) > 150
    file = built_site.site / "site/assets" / INDEX
    assert file.stat().st_size < 250_000
    copy = Path(shutil.copytree(built_site.site, tmp_path / "site"))
    assert write_index(copy, built_site.root).read_bytes() == file.read_bytes()
