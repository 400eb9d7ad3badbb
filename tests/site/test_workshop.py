"""The targeting workshop in Chromium: it begins as the build says, and its address brings a state back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.conftest import BuiltSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("built_site", ["default twin"], indirect=True, scope="session"),
]


def address(built_site: BuiltSite) -> str:
    return (built_site.site / "site/act.html").as_uri()


@pytest.fixture
def opened(built_site: BuiltSite, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(5_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.goto(address(built_site))
    yield page
    context.close()
    assert complaints == []


def table(page: Page) -> list[list[str]]:
    rows = page.locator(".ranking tbody tr").all()
    return [[cell.inner_text() for cell in row.locator("th, td").all()] for row in rows]


def test_it_begins_as_the_build_ranked_without_scripts(built_site: BuiltSite, opened: Page, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    still = context.new_page()
    still.goto(address(built_site))
    assert table(still) == table(opened)
    assert not still.locator("#weight-size").is_visible()
    assert opened.locator(".matrix circle").count() == len(table(opened))
    context.close()


def test_the_address_brings_weights_and_boxes_back(opened: Page, chromium: Browser) -> None:
    before, address = table(opened), opened.url
    size = opened.get_by_role("slider", name="Size")
    size.focus()
    for _ in range(4):
        opened.keyboard.press("ArrowRight")
    value = opened.get_by_role("slider", name="Value")
    value.focus()
    opened.keyboard.press("Home")
    opened.get_by_label("they hold at least").press("Space")
    opened.get_by_role("spinbutton", name="Least share").fill("34")
    changed = table(opened)
    assert changed != before
    assert "size=70" in opened.url and "value=0" in opened.url and "min=34" in opened.url
    assert "too small" in {row[4] for row in changed}
    assert "Not shown" in opened.locator(".ranked").inner_text()

    other = chromium.new_page()
    other.goto(opened.url)
    assert table(other) == changed
    assert other.get_by_role("slider", name="Size").input_value() == "70"
    assert other.get_by_label("they hold at least").is_checked()
    other.get_by_role("button", name="Back to the first weights").press("Enter")
    assert table(other) == before and other.url == address
    other.close()


@pytest.mark.parametrize("state", ["size=<b>&value=1e9", "size=-5&value=&min=101", "%%%=&__proto__=1", "a-heading"])
def test_an_address_that_says_nonsense_changes_nothing(opened: Page, state: str) -> None:
    before = table(opened)
    opened.evaluate("state => { location.hash = state }", state)
    opened.wait_for_timeout(50)
    assert table(opened) == before
    assert opened.locator(".matrix b").count() == 0


def test_no_weight_at_all_ranks_nobody(opened: Page) -> None:
    opened.evaluate("location.hash = 'size=0&value=0&outlook=0&reachability=0&response=0'")
    opened.get_by_text("Give a criterion some weight.").wait_for()
    assert {row[1] for row in table(opened)} == {"–"}


def test_the_old_address_leads_to_the_page_and_keeps_the_weights(built_site: BuiltSite, opened: Page) -> None:
    opened.goto((built_site.site / "site/workshop.html").as_uri() + "#size=35")
    opened.wait_for_url("**/act.html#size=35")
    assert opened.get_by_role("slider", name="Size").input_value() == "35"


def test_actions_are_filtered_by_keyboard_and_by_budget(opened: Page) -> None:
    rows = opened.locator(".act-table tbody tr")
    everything = rows.count()
    assert everything == opened.locator(".act-table tbody tr:visible").count() > 4
    part = opened.get_by_label("Part of the plan")
    part.focus()
    opened.keyboard.press("ArrowDown")
    shown = opened.locator(".act-table tbody tr:visible")
    assert 0 < shown.count() < everything
    assert {row.get_attribute("data-slot") for row in shown.all()} == {"campaign"}
    opened.get_by_role("button", name="Show all").click()
    opened.get_by_label("Budget of contacts").fill("700")
    spent = sum(int(row.get_attribute("data-contacts") or 0) for row in shown.all())
    assert 0 < spent <= 700 and shown.count() < everything
    assert "exceed the budget" in opened.locator(".act-count").inner_text()


def test_without_scripts_all_actions_stand(built_site: BuiltSite, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(address(built_site))
    assert still.locator(".act-table tbody tr:visible").count() > 4
    assert not still.locator(".act-filters").is_visible()
    context.close()
