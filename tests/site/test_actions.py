"""Act, its filters and assumptions, and the briefs that print one action each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from analysis.report.model import Report, read_report
from tests.conftest import BuiltSite
from tests.site.test_tree import Element, read

pytestmark = pytest.mark.parametrize("built_site", ["default twin"], indirect=True, scope="session")

SIZES = ((1280, 800), (390, 844))
TITLES = ("Why", "For whom", "How to recognise them", "Channel", "When", "KPI", "Effort", "Prize", "Whom to leave out")


@pytest.fixture(scope="module")
def report(built_site: BuiltSite) -> Report:
    return read_report(built_site.root / "build" / "report.json")


@pytest.fixture
def act(built_site: BuiltSite, chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto((built_site.site / "site" / "act.html").as_uri())
    page.wait_for_function("document.querySelector('.act-count').textContent")
    yield page
    page.close()


def shown(page: Page) -> list[dict[str, str]]:
    rows = "[...document.querySelectorAll('.act-table tbody tr')].filter((row) => !row.hidden)"
    return page.evaluate(f"{rows}.map((row) => ({{...row.dataset}}))")


def actions(report: Report) -> list[tuple[str, str]]:
    return [(f"{s.slug}-{slot.slot}", slot.action) for s in report.segments for slot in s.plan if slot.action]


@pytest.mark.parametrize("name", ["slot", "segment", "channel", "effort"])
def test_each_filter_keeps_the_actions_that_fit(act: Page, name: str) -> None:
    everything = shown(act)
    for value in act.eval_on_selector_all(f"#act-{name} option", "options => options.map((o) => o.value)"):
        act.select_option(f"#act-{name}", value)
        assert shown(act) == [row for row in everything if value in ("", row[name])]
    act.select_option(f"#act-{name}", "")
    assert shown(act) == everything


def test_a_budget_keeps_the_best_actions_that_it_pays_for(act: Page) -> None:
    everything = shown(act)
    budget = int(everything[0]["contacts"]) + int(everything[1]["contacts"])
    act.fill("#act-budget", str(budget))
    kept = shown(act)
    assert kept[:2] == everything[:2] and sum(int(row["contacts"]) for row in kept) <= budget
    assert "exceed the budget" in act.inner_text(".act-count")
    act.click("button[type=reset]")
    act.wait_for_function(f"!document.querySelectorAll('.act-table tbody tr[hidden]').length && {len(everything)}")


def test_changed_assumptions_change_prizes_and_ranks(act: Page) -> None:
    last = act.locator(".act-table tbody tr").last
    prize, fields = last.locator(".prize"), last.locator(".prize input")
    published = prize.locator("output").inner_text()
    old = [fields.nth(i).input_value() for i in (0, 1)]
    fields.nth(0).fill("50")
    fields.nth(1).fill("100")
    total = float(prize.get_attribute("data-total") or "nan")
    numbers = [float(x.replace(",", "")) for x in re.findall(r"[\d,.]+\d", prize.locator("output").inner_text())]
    assert numbers == [float(f"{part * total:.2g}") for part in (0.5, 1.0)]
    assert last.locator("th").inner_text() != str(act.locator(".act-table tbody tr").count())
    rank = int(last.locator("th").inner_text())
    action = last.locator("strong").first.inner_text()
    act.click(".act-sort")
    assert act.locator(".act-table tbody tr").nth(rank - 1).locator("strong").first.inner_text() == action
    moved = act.locator(".act-table tbody tr").nth(rank - 1)
    for i in (0, 1):
        moved.locator(".prize input").nth(i).fill(old[i])
    assert moved.locator("output").inner_text() == published
    act.fill("#act-margin", "20")
    assert "at a margin of 20%" in moved.inner_text() and moved.locator("output").inner_text() != published
    act.click(".prize-back button")
    assert act.locator(".prize-changed").count() == 0 and act.input_value("#act-margin") == "100"
    assert moved.locator("output").inner_text() == published


def test_a_prize_is_changed_by_keyboard_and_kept_on_the_page_of_briefs(
    act: Page, built_site: BuiltSite, report: Report
) -> None:
    first = act.locator(".act-table tbody .prize").first
    field = first.locator("input").first
    field.focus()
    before = field.input_value()
    act.keyboard.press("ArrowUp")
    assert float(field.input_value()) == float(before) + 0.5
    key, text = first.get_attribute("data-key"), first.locator("output").inner_text()
    act.goto((built_site.site / "site" / "briefs.html").as_uri() + f"#{key}")
    act.wait_for_function("!document.querySelector('.prize input').readOnly")
    assert act.locator(f"#{key} output").inner_text() == text


@pytest.mark.parametrize("name", ["act", "briefs"])
def test_without_a_script_prizes_read_as_published_and_nothing_moves_with_one(
    built_site: BuiltSite, chromium: Browser, report: Report, name: str
) -> None:
    worth = {f"{s.slug}-{slot.slot}": slot.prize for s in report.segments for slot in s.plan if slot.prize}
    heights = []
    for scripts in (False, True):
        context = chromium.new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto((built_site.site / "site" / f"{name}.html").as_uri())
        page.wait_for_timeout(400)
        prizes = page.locator(".prize")
        for prize in prizes.all():
            text = prize.locator("output").inner_text()
            assert f"Worth {text} " in worth[prize.get_attribute("data-key") or ""]
            fields = prize.locator("input")
            assert all(fields.nth(i).is_editable() == scripts for i in (0, 1))
        heights.append([box["height"] for prize in prizes.all() if (box := prize.bounding_box())])
        context.close()
    assert heights[0] == heights[1] and heights[0]


def test_every_action_has_a_brief_that_act_and_its_persona_lead_to(built_site: BuiltSite, report: Report) -> None:
    main = read(built_site.site / "site" / "briefs.html").one("main")
    briefs = {brief.attrs["id"]: brief for brief in main.all("article")}
    assert list(briefs) == [key for key, _ in actions(report)]
    for key, action in actions(report):
        told = {term.text(): term for term in briefs[key].all("dt")}
        assert set(TITLES) <= set(told) and any(term.startswith("Test, ") for term in told), key
        assert action in briefs[key].text()
    for page in ("act", *(f"segments/{s.slug}" for s in report.segments)):
        links = links_of(built_site.site / "site" / f"{page}.html")
        wanted = {key for key, _ in actions(report) if page == "act" or key.startswith(page.removeprefix("segments/"))}
        assert wanted <= links, page


def links_of(page: Path) -> set[str]:
    links: list[Element] = list(read(page).one("main").all("a", **{"class": "brief-link"}))
    return {link.attrs["href"].partition("#")[2] for link in links}


def test_an_addressed_brief_stands_and_prints_alone_on_a_page(
    built_site: BuiltSite, chromium: Browser, report: Report
) -> None:
    page = chromium.new_page()
    try:
        for key, _ in actions(report):
            page.goto("about:blank")
            page.goto((built_site.site / "site" / "briefs.html").as_uri() + f"#{key}")
            assert [brief.get_attribute("id") for brief in page.locator(".brief:visible").all()] == [key]
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
        page.goto("about:blank")
        page.goto((built_site.site / "site" / "briefs.html").as_uri())
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == len(actions(report))
    finally:
        page.close()


@pytest.mark.parametrize("size", SIZES)
def test_five_questions_of_a_manager_are_answered_on_first_screens(
    built_site: BuiltSite, chromium: Browser, report: Report, size: tuple[int, int]
) -> None:
    """Who they are, which is worth most, what to do first, how to test it, and whether to trust it."""
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    try:
        page.goto((built_site.site / "site" / "index.html").as_uri())
        answers = ["h1", ".segment-columns .block-share", ".overview-trust p"]
        for answer in answers:
            box = page.locator(answer).first.bounding_box()
            assert box is not None and box["y"] + box["height"] <= size[1], (answer, box)
        for segment in report.segments:
            page.goto((built_site.site / "site" / "segments" / f"{segment.slug}.html").as_uri())
            for answer in ("h1", ".tile-value", ".start-action", ".start-test"):
                box = page.locator(answer).first.bounding_box()
                assert box is not None and box["y"] + box["height"] <= size[1], (segment.slug, answer, box)
            assert segment.portrait.lead.text in page.locator("main").inner_text()
    finally:
        page.close()
