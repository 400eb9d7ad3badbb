"""Pages for fingers and for paper, and cards that keep their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BY_QUARTO, BuiltSite
from tests.site.test_browser import PHONE, Seen, opened, see_all_charts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.parametrize("built_site", ["default twin", BY_QUARTO], indirect=True, scope="session")


@pytest.fixture(scope="module")
def address(built_site: BuiltSite, serve: Callable[[Any], str]) -> str:
    return serve(built_site.site)


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
