"""Every page is open to everyone: axe finds nothing, nothing jumps, headings are in order, targets are large enough."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BY_QUARTO, BuiltSite
from tests.site.test_browser import PHONE, REACH_ALL, WIDE, Seen, names_of, opened, see_all_charts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed; make test installs it"
)
pytestmark = pytest.mark.parametrize("built_site", ["default twin", BY_QUARTO], indirect=True, scope="session")

NARROW = (390, 844)
MOST_SHIFT = 0.1
"""Cumulative layout shift that counts as good (web.dev, Core Web Vitals)."""
SMALLEST_TARGET = 24
"""Pixels of a target that is not in a sentence (WCAG 2.2, 2.5.8)."""
WATCH = """window.shifted = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
HEADINGS = """() => [...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")]
    .filter((heading) => heading.getClientRects().length).map((heading) => Number(heading.localName[1]))"""
SMALL = """(least) => [...document.querySelectorAll(
        "a[href], button, :not(label) > input, select, summary, [role=button]")].filter((e) => {
        const { width, height } = e.getBoundingClientRect();
        const style = getComputedStyle(e);
        const inline = style.display === "inline" || e.closest("p, td, th, dd, svg, .sidebar-item, nav[role=doc-toc]");
        return width && height && style.visibility !== "hidden" && !inline && (width < least || height < least);
    }).map((e) => e.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def address(built_site: BuiltSite, serve: Callable[[Any], str]) -> str:
    return serve(built_site.site)


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(WIDE, "light", id="wide light"),
        pytest.param(NARROW, "dark", id="narrow dark"),
        pytest.param(WIDE, "dark", id="wide dark", marks=pytest.mark.trials),
        pytest.param(NARROW, "light", id="narrow light", marks=pytest.mark.trials),
    ],
)
def test_axe_finds_nothing_and_nothing_jumps_on_any_page(
    built_site: BuiltSite, address: str, chromium: Browser, size: tuple[int, int], scheme: str
) -> None:
    seen, checker = Seen(), axe.Axe()
    with opened(chromium, seen, size, scheme) as page:
        page.add_init_script(WATCH)
        for name in names_of(built_site.site):
            page.goto(f"{address}/{name}")
            page.evaluate(REACH_ALL)
            assert page.evaluate("window.shifted") < MOST_SHIFT, name
            see_all_charts(page)
            results = checker.run(page)
            assert results.violations_count == 0, f"{name}: {results.generate_report()}"
            headings = page.evaluate(HEADINGS)
            assert headings.count(1) == 1 and headings[0] == 1, (name, headings)
            assert all(after - before <= 1 for before, after in pairwise(headings)), (name, headings)
            assert page.evaluate("document.documentElement.lang") == "en", name
            assert page.evaluate(SMALL, SMALLEST_TARGET) == [], name
    assert seen == Seen()


def test_a_card_that_is_read_later_moves_no_other(address: str, chromium: Browser) -> None:
    width = "(cards) => cards[0].getBoundingClientRect().width"
    with opened(chromium, Seen()) as page:
        for name, card in (("act", ".action"), ("segments/index", ".card-persona")):
            page.goto(f"{address}/site/{name}.html")
            cards = page.locator(f"main {card}")
            assert cards.count() >= 2, name
            before = page.eval_on_selector_all(card, width)
            cards.last.evaluate("(card) => card.remove()")
            assert page.eval_on_selector_all(card, width) == before, name


def test_a_finger_meets_targets_of_44_pixels(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen(), PHONE) as page:
        for name in ("site/index.html", "site/explore.html", "site/finder.html", "site/segments/index.html"):
            page.goto(f"{address}/{name}")
            see_all_charts(page)
            places = ".chart-tools button, .follow button, .footer a, .navbar-toggler, .chart-live select, .share-page"
            for target in page.locator(places).filter(visible=True).all():
                box = target.bounding_box()
                assert box and box["height"] >= 44, (name, target.evaluate("(e) => e.outerHTML.slice(0, 90)"))


def test_on_paper_pictures_stand_and_controls_do_not(address: str, chromium: Browser) -> None:
    with opened(chromium, Seen()) as page:
        page.goto(f"{address}/site/compare.html")
        see_all_charts(page)
        page.emulate_media(media="print")
        pictures = page.locator("img.chart-static")
        assert pictures.filter(visible=True).count() == pictures.count() >= 5
        for gone in (".chart-live", ".chart-tools", ".follow", "#quarto-header", ".footer"):
            assert page.locator(gone).filter(visible=True).count() == 0, gone
