"""The persona finder in Chromium: it agrees with ``score``, and what is entered stays in the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis.assignment import scoring
from analysis.assignment.model import read_model
from analysis.assignment.scoring import score
from analysis.pages import book
from analysis.pages.text import finder
from analysis.report.model import Report, read_report
from analysis.settings.load import check_study
from analysis.sources.tables import RawTable, read_table
from tests.conftest import ROOT, BuiltSite
from tests.small_studies import SHOP, make_shop
from tests.stages import take_through

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PLACE = "([customers, short]) => customers.map((customer) => window.personaFinder.place(customer, short))"
KEEPS = "[localStorage.length, sessionStorage.length, document.cookie, location.href, history.length]"


def scored(raw: RawTable, build: Path, patch: pytest.MonkeyPatch) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features of customers as ``score`` computes them, and what it says."""
    held: list[pd.DataFrame] = []
    apply = scoring.apply_steps
    with patch.context() as inside:
        inside.setattr(scoring, "apply_steps", lambda frame, steps: held.append(frame) or apply(frame, steps))
        scores = score([raw], read_model(build / "model.json"))
    return held[0], scores


def as_answers(report: Report, frame: pd.DataFrame) -> list[dict[str, float | None]]:
    """Each customer's features by the names of the rule."""
    columns: dict[str, Any] = {name: frame[name] for name in report.rules.fills if name in frame}
    for level in report.rules.levels:
        columns[level.name] = (frame[level.name.removesuffix(f" = {level.formula}")] == level.formula).astype(float)
    rows = pd.DataFrame(columns).astype(float).to_dict("records")
    return [{str(k): None if np.isnan(v) else v for k, v in row.items()} for row in rows]


def enter(page: Page, report: Report, customer: dict[str, Any]) -> None:
    """Answer through the fields what is known of a customer."""
    for i, field in enumerate(finder.fields(report)):
        control = page.locator(f"#answer-{i}")
        values = [customer[name] for name in field.features]
        if field.levels:
            control.select_option(str(values.index(1)) if 1 in values else "-1")
        elif field.options:
            control.select_option("" if values[0] is None else str(int(values[0])))
        else:
            control.fill("" if values[0] is None else repr(float(values[0] * field.factor)))


def found(page: Page) -> tuple[str, str, str]:
    """Persona, runner-up and confidence as the page says them."""
    page.wait_for_timeout(350)
    names = page.locator(".found a").all_inner_texts()
    return names[0], names[1], re.findall(r"Confidence (\d+)", page.locator(".found").inner_text())[0]


@pytest.fixture
def open_page(chromium: Browser) -> Any:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(5_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("built_site", ["default twin"], indirect=True, scope="session")
def test_five_hundred_customers_are_placed_as_score_places_them(
    built_site: BuiltSite, open_page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, page = read_report(built_site.root / "build/report.json"), open_page
    raw = read_table(built_site.root / "data/marketing_campaign.csv", root=built_site.root)
    frame, scores = scored(raw, built_site.root / "build", monkeypatch)
    rows = np.random.default_rng(1).choice(len(frame), 500, replace=False)
    customers = [as_answers(report, frame.iloc[[row]])[0] for row in rows]
    page.goto((built_site.site / "site/finder.html").as_uri())
    told = pd.DataFrame(page.evaluate(PLACE, [customers, False]))
    expected = scores.iloc[rows]
    assert told["segment"].tolist() == expected["segment"].tolist()
    assert told["runnerUp"].tolist() == expected["runner_up"].tolist()
    assert told["confidence"].to_numpy() == pytest.approx(expected["confidence"].to_numpy(), abs=0.00051)

    names = {s.id: s.name for s in report.segments}
    page.locator("input[value=every]").check()
    for customer, line in list(zip(customers, expected.itertuples(), strict=True))[:6]:
        enter(page, report, customer)
        persona, second, confidence = found(page)
        assert (persona, second) == (names[line.segment], names[line.runner_up])
        assert abs(float(confidence) - 100 * line.confidence) < 0.56

    few = pd.DataFrame(
        page.evaluate(PLACE, [[as_answers(report, frame.iloc[[i]])[0] for i in range(len(frame))], True])
    )
    assert report.questions is not None
    same = (few["segment"].to_numpy() == scores["segment"].to_numpy()).mean()
    assert same == pytest.approx(report.questions.accuracy, abs=0.02)


@pytest.mark.parametrize("built_site", ["default twin"], indirect=True, scope="session")
def test_it_works_by_keyboard_from_a_file_and_nothing_leaves_the_page(built_site: BuiltSite, open_page: Page) -> None:
    page = open_page
    page.goto((built_site.site / "site/finder.html").as_uri())
    asked: list[str] = []
    # The browser fetches the icon of the page when it likes.
    page.on("request", lambda request: None if "favicon" in request.url else asked.append(request.url))
    kept = page.evaluate(KEEPS)
    first = page.locator(".answer input").first
    first.focus()
    page.keyboard.type("30")
    page.keyboard.press("Tab")
    page.keyboard.type("60")
    page.keyboard.press("Enter")
    status = page.get_by_role("status").filter(has_text="Most like")
    status.wait_for()
    n_asked = page.locator(".answer input:visible").count()
    assert f"2 of {n_asked} answered" in status.inner_text() and "Runner-up" in status.inner_text()
    share = page.locator(".answer input[max='100']:visible").first
    share.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("130")
    page.get_by_text("One answer is out of range").wait_for()
    assert share.get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Clear the answers").press("Enter")
    assert page.locator(".answer input").first.input_value() == ""
    assert page.evaluate("document.activeElement.id") == "answer-0"
    assert "Give one answer" in page.locator(".found").inner_text()
    assert (asked, page.evaluate(KEEPS)) == ([], kept)


@pytest.mark.parametrize("built_site", ["default twin"], indirect=True, scope="session")
def test_without_scripts_the_page_says_where_to_ask(built_site: BuiltSite, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((built_site.site / "site/finder.html").as_uri())
    assert page.get_by_text("scripts are off here").is_visible()
    assert not page.locator(".answer input").first.is_visible()
    context.close()


def as_html(report: Report, name: str, patch: pytest.MonkeyPatch) -> str:
    """One page alone, without the engine around it."""
    patch.setattr(book, "draw_all", lambda *_: [])
    patch.setattr(book, "draw_pictures", lambda figures, *_: {})
    text = book._Book(report, ROOT, "x.js").page(name)
    blocks = re.findall(r"```\{=html\}\n(.*?)\n```", text, re.DOTALL)
    script = (ROOT / f"site/assets/{name}.js").read_text(encoding="utf-8")
    return f"<!doctype html><main class='content'>{''.join(blocks)}</main><script>{script}</script>"


HOSTILE = ("<img src=x onerror='window.pwned = 1'>", "</script><script>window.pwned = 2</script>", "Zoë's")


@pytest.mark.parametrize("encode", ["indicator", "label"])
def test_categories_are_placed_as_score_places_them_and_their_words_stay_words(
    encode: str, open_page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, rng = make_shop(300), np.random.default_rng(3)
    shop["tier"] = np.where(rng.random(300) < 0.8, np.array(HOSTILE)[np.arange(300) // 100], HOSTILE[0])
    shop.loc[::25, ["tier", "visits"]] = None
    source = SHOP["sources"][0]
    roles = {**source["roles"], "feature": ["orders", "visits", "tier"]}
    labels = {"orders": HOSTILE[0], "tier": HOSTILE[1]}
    settings = {**SHOP, "encode": encode, "near_copies": "keep", "noise": "keep", "segments": 3}
    settings["algorithm"] = "kprototypes" if encode == "indicator" else "kmeans"
    study = check_study({**settings, "sources": [{**source, "roles": roles, "labels": labels}]})
    stages = take_through(shop, study, tmp_path)
    report, page = stages.report, open_page
    frame, scores = scored(stages.raw, stages.build, monkeypatch)
    page.set_content(as_html(report, "finder", monkeypatch))
    customers = as_answers(report, frame)
    told = pd.DataFrame(page.evaluate(PLACE, [customers, False]))
    assert told["segment"].tolist() == scores["segment"].tolist()
    assert told["runnerUp"].tolist() == scores["runner_up"].tolist()
    every = page.locator("input[value=every]")
    if every.count():
        every.check()
    names = {s.id: s.name for s in report.segments}
    for row in range(0, 300, 30):
        enter(page, report, customers[row])
        assert found(page)[:2] == (names[scores["segment"][row]], names[scores["runner_up"][row]])
    assert HOSTILE[1] in page.locator("label").all_inner_texts()
    options = {text for select in page.locator("select").all() for text in select.locator("option").all_inner_texts()}
    assert {*HOSTILE} <= options
    assert page.evaluate("window.pwned") is None
