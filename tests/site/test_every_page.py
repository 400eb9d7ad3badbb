"""Every page, visited once a mode and width: drawn, quiet and open to everyone, and nothing jumps or sticks out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BY_QUARTO, BuiltSite
from tests.site.test_browser import PHONE, REACH_ALL, WIDE, Seen, names_of, opened, overflow, see_all_charts
from tests.site.test_search import CORNERS, ask

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed; make test installs it"
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("built_site", ["default twin", BY_QUARTO], indirect=True, scope="session"),
]

NARROW = (390, 844)
LEAST_CHARTS = 30
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


@dataclass(frozen=True, slots=True)
class Visit:
    """What was found on a page.

    Attributes
    ----------
    name : str
        Address below the site.
    shift : float
        Cumulative layout shift while it was read to its end.
    charts, live, failed : int
        Figures, and those of them that are drawn and that could not be.
    outside : list of str
        What sticks out sideways, at this width and at the other one.
    violations : str
        What axe reports; empty for nothing.
    headings : list of int
        Levels in their order.
    language : str
    small : list of str
        Targets that are too small.
    panel : list of bool
        Whether the panel of the search is inside the window, and on top at each corner.
    """

    name: str
    shift: float
    charts: int
    live: int
    failed: int
    outside: list[str]
    violations: str
    headings: list[int]
    language: str
    small: list[str]
    panel: list[bool]


Visits = tuple[list[Visit], Seen]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((WIDE, "light"), id="wide light"),
        pytest.param((NARROW, "dark"), id="narrow dark"),
        pytest.param((WIDE, "dark"), id="wide dark", marks=pytest.mark.trials),
        pytest.param((NARROW, "light"), id="narrow light", marks=pytest.mark.trials),
    ],
)
def visits(
    request: pytest.FixtureRequest, built_site: BuiltSite, serve: Callable[[Any], str], chromium: Browser
) -> Visits:
    """Open every page in one mode and width."""
    (size, scheme), seen = request.param, Seen()
    address, found = serve(built_site.site), []
    with opened(chromium, seen, size, scheme) as page:
        page.add_init_script(WATCH)
        for name in names_of(built_site.site):
            page.goto(f"{address}/{name}")
            found.append(_look(page, name, size))
    return found, seen


def _look(page: Page, name: str, size: tuple[int, int]) -> Visit:
    page.evaluate(REACH_ALL)
    shift = page.evaluate("window.shifted")
    see_all_charts(page)
    figures = "figure.chart"
    counts = [page.locator(each).count() for each in (figures, ".chart-live svg", f"{figures}[data-failed]")]
    results = axe.Axe().run(page)
    small, outside = page.evaluate(SMALL, SMALLEST_TARGET), overflow(page)
    other = PHONE if size == WIDE else WIDE
    page.set_viewport_size({"width": other[0], "height": other[1]})
    page.wait_for_timeout(120)
    outside += overflow(page)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.locator(".site-search-open").click()
    page.wait_for_function("window.siteIndex")
    ask(page, "segment")
    return Visit(
        name,
        shift,
        *counts,
        outside,
        results.generate_report() if results.violations_count else "",
        page.evaluate(HEADINGS),
        page.evaluate("document.documentElement.lang"),
        small,
        page.evaluate(CORNERS),
    )


def test_every_chart_is_drawn_and_no_page_complains_or_asks_a_stranger(visits: Visits) -> None:
    found, seen = visits
    assert seen == Seen()
    assert sum(visit.charts for visit in found) >= LEAST_CHARTS
    assert [v.name for v in found if v.failed or v.live != v.charts] == []


def test_axe_finds_nothing(visits: Visits) -> None:
    assert {visit.name: visit.violations for visit in visits[0] if visit.violations} == {}


def test_nothing_jumps(visits: Visits) -> None:
    assert {visit.name: visit.shift for visit in visits[0] if visit.shift >= MOST_SHIFT} == {}


def test_nothing_sticks_out_at_either_width(visits: Visits) -> None:
    assert {visit.name: visit.outside for visit in visits[0] if visit.outside} == {}


def test_headings_are_in_order_below_one_title(visits: Visits) -> None:
    for visit in visits[0]:
        assert visit.headings.count(1) == 1 and visit.headings[0] == 1, visit.name
        assert all(after - before <= 1 for before, after in pairwise(visit.headings)), (visit.name, visit.headings)
        assert visit.language == "en", visit.name


def test_no_target_is_too_small(visits: Visits) -> None:
    assert {visit.name: visit.small for visit in visits[0] if visit.small} == {}


def test_the_panel_of_the_search_lies_above_everything(visits: Visits) -> None:
    assert [visit.name for visit in visits[0] if visit.panel != [True] * 5] == []
