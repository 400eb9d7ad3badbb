"""The segmentation card: what a segment tells of protected descriptors, whom actions reach, limits, last day of use."""

from __future__ import annotations

import datetime as dt
import html
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.base.run import TESTS
from analysis.features.build import FeatureTable, Variable
from analysis.pages import book
from analysis.past.records import Identity
from analysis.profiles.contrasts import associate_numbers
from analysis.report.model import from_json, to_json
from analysis.segments.card import (
    NO_PURPOSE,
    Background,
    Card,
    Descriptor,
    find_protected,
    write_card,
)
from analysis.segments.personas import Persona
from analysis.segments.plans.plan import Slot
from analysis.settings.models import CardChoices
from tests.stages import ROOT, Stages, plain_pages, run_stages

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from analysis.segments.claims import Portrait

SEGMENTS = np.repeat([1, 2], 100)


def stages() -> Stages:
    return run_stages()


def action(title: str, *reads: str) -> Slot:
    return Slot("campaign", title, effort="low", rule="segment.n > 0", reads=reads)


def persona(letter: str, *actions: Slot) -> Persona:
    own = Identity(letter.lower(), f"Name {letter}", letter, "#000000", "", f"Name {letter}")
    portrait = cast("Portrait", None)
    return Persona(own.name, letter, letter, "", "", portrait, (), (), (), actions, own, own.name)


def made(
    values: list[object], unit: str = "category", actions: tuple[Slot, ...] = (), most: int = 5_000, **choices: object
) -> Card:
    """Write the card of 200 customers in two segments with one protected variable."""
    found = stages()
    numeric = unit != "category"
    series = pd.Series(values, dtype=float if numeric else object)
    variable = Variable(
        "gender", "Gender", unit, "descriptor", "gender", ("gender",), "", "", "", "auto", not numeric
    )  # fmt: skip
    forming = found.prepared.steps[0].name
    table = FeatureTable(pd.DataFrame({forming: 1.0, "gender": series}), (variable,))
    study = found.study.model_copy(update={"card": CardChoices.model_validate(choices)})
    prepared = replace(found.prepared, steps=found.prepared.steps[:1], core=np.ones(len(SEGMENTS), bool))
    people = (persona("A", *actions), persona("B", action("For all"), action("For B")))
    profiles = replace(found.profiles, hidden=())
    stage = (study, found.cleaned, table, prepared, SEGMENTS, profiles, people)
    background = Background(
        {"gender": "Gender"}, (("2012-07", "2014-06"),), effort=replace(TESTS, silhouette_rows=most)
    )
    return write_card(*stage, background)


def only(found: Card) -> Descriptor:
    return found.protected[0]


def test_a_descriptor_that_the_segments_are_is_revealed() -> None:
    found = only(made(["f"] * 100 + ["m"] * 100))
    assert found.strength == pytest.approx(1.0)
    assert (found.base, found.hit) == (0.5, 1.0)
    assert "reveals it; a guess from it is right for 100% of customers, without it for 50%" in found.sentence


def test_a_descriptor_that_has_nothing_to_do_with_segments_is_hardly_told() -> None:
    found = only(made(["f", "m"] * 100))
    assert found.strength == 0.0 and found.hit == found.base == 0.5
    assert "hardly tells it; the best guess is the same" in found.sentence


def test_a_number_is_judged_by_its_ranks_and_guessed_by_its_median() -> None:
    found = only(made([*range(20, 120), *range(60, 160)], "years"))
    tested = associate_numbers(pd.Series(np.r_[20:120, 60:160].astype(float)), SEGMENTS)
    assert tested is not None and (found.measure, found.strength) == ("ε²", tested.effect)
    assert found.guessed == "whether it is more than 89.5 years"
    assert found.hit == pytest.approx((70 + 70) / 200)


def test_the_card_states_the_effect_that_the_test_of_the_descriptor_states() -> None:
    found = stages()
    told = {d.name: (d.measure, d.strength) for d in found.report.card.protected}
    tested = {c.variable: (c.measure, c.effect) for c in found.report.contrasts}
    assert {"age", "partner"} <= told.keys() & tested.keys()
    assert all(told[name] == tested[name] for name in told.keys() & tested.keys())


def test_groups_too_small_to_tell_are_merged_and_where_none_is_left_nothing_is_told() -> None:
    merged = only(made(["f"] * 60 + ["m"] * 37 + ["x"] * 3 + ["f"] * 50 + ["m"] * 50))
    assert merged.groups == ("f", "m or other")
    few = only(made(["f"] * 97 + ["m"] * 3 + ["f"] * 100))
    assert few.strength is None and few.groups == () and few.uneven == ()
    assert few.sentence == "Gender: too few customers in a group to tell it by segment."


def test_an_action_that_reaches_a_group_less_than_four_fifths_as_often_is_uneven() -> None:
    values = ["f"] * 70 + ["m"] * 30 + ["f"] * 30 + ["m"] * 70
    found = only(made(values, actions=(action("For all"), action("For A"))))
    assert [(r.segments, r.actions) for r in found.uneven] == [
        ("A", ("For A (low effort)",)),
        ("B", ("For B (low effort)",)),
    ]
    assert found.groups == ("f", "m")
    assert found.uneven[0].shares == (0.7, 0.3)
    even = only(made(["f", "m"] * 100, actions=(action("For A"),)))
    assert even.uneven == ()


def test_rules_that_read_a_protected_descriptor_are_listed() -> None:
    found = made(["f", "m"] * 100, actions=(action("By sex", "gender"), action("Not")))
    assert found.reading == (("A, Name A", "By sex", "Gender"),)


def test_the_last_day_is_a_year_after_the_data_unless_the_settings_name_one() -> None:
    assert stages().cleaned.as_of is not None
    year = dt.date.fromisoformat(made(["f", "m"] * 100).valid_until)
    assert year == stages().cleaned.as_of.replace(year=stages().cleaned.as_of.year + 1)
    named = made(["f", "m"] * 100, valid_until="2031-02-03", purpose="To plan.", owner="Marketing")
    assert (named.valid_until, named.dated) == ("2031-02-03", True)
    assert (named.purpose, named.owner) == ("To plan.", "Marketing")
    assert made(["f", "m"] * 100).purpose == NO_PURPOSE


def test_what_is_named_as_age_sex_and_family_are_is_protected_and_what_is_made_of_it() -> None:
    found = stages()
    protected = find_protected(found.study, found.source, found.cleaned, found.table)
    assert {"age", "children", "has_children", "partner"} <= set(protected)
    assert not {"spend", "Income", "Education", "wine_share", "recency"} & set(protected)
    assert "Year_Birth" not in protected, "age is made of it"


def test_the_settings_name_what_is_protected() -> None:
    found = stages()
    study = found.study.model_copy(update={"card": CardChoices(protected=("Marital_Status",))})
    assert find_protected(study, found.source, found.cleaned, found.table) == {
        "partner": "Lives with a partner",
        "Marital_Status": "Marital status",
    }
    nobody = found.study.model_copy(update={"card": CardChoices(protected=())})
    assert find_protected(nobody, found.source, found.cleaned, found.table) == {}
    wrong = found.study.model_copy(update={"card": CardChoices(protected=("Martial_Status",))})
    with pytest.raises(InputError, match=r"(?s)card\.protected: 'Martial_Status'.*Did you mean 'Marital_Status'"):
        find_protected(wrong, found.source, found.cleaned, found.table)


def test_limits_are_told_from_the_run() -> None:
    assert "one picture" in " ".join(stages().report.card.limits)
    assert "random samples" not in " ".join(stages().report.card.limits)
    text = " ".join(made(["f", "m"] * 100, most=150).limits)
    assert "Parts rest on random samples of customers: silhouettes were measured on 150." in text
    assert "in the one feature" in text


@pytest.mark.slow
def test_the_card_survives_the_way_through_json() -> None:
    report = stages().report
    assert from_json(to_json(report)).card == report.card
    assert report.card.n_read == len(stages().raw.frame)


@pytest.mark.slow
def test_the_page_shows_purpose_numbers_and_the_last_day_and_every_page_carries_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / "site" / "assets").mkdir(parents=True)
    shutil.copy(ROOT / "site" / "assets" / "site.css", tmp_path / "site" / "assets")
    report = stages().report
    with plain_pages():
        book.write_pages(report, tmp_path)
    page = html.unescape((tmp_path / "site" / "card.qmd").read_text(encoding="utf-8"))
    assert report.card.purpose in page and f"To be used until {report.card.valid_until}" in page
    for descriptor in report.card.protected:
        assert descriptor.sentence in page
    strip = (tmp_path / "site" / "_metadata.yml").read_text(encoding="utf-8")
    assert f'data-until=\\"{report.card.valid_until}\\" hidden>' in strip


@pytest.mark.browser
@pytest.mark.parametrize(("until", "seen"), [("2014-06-29", True), ("2999-12-31", False)])
def test_after_the_last_day_a_strip_says_so(until: str, seen: bool, chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content(f'<main></main><aside class="notice-stale" data-until="{until}" hidden>Out of date</aside>')
    page.add_style_tag(path=ROOT / "site" / "assets" / "site.css")
    page.add_script_tag(path=ROOT / "site" / "assets" / "site.js")
    assert page.locator(".notice-stale").is_visible() == seen
    page.close()
