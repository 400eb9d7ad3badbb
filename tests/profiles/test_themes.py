"""What a variable is about, from its name, label, unit and role, or from the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analysis.features.build import Variable
from analysis.profiles.themes import DICTIONARY, TITLES, Trait, read_traits
from analysis.settings.models import Study, VariableWords
from analysis.settings.sources import Source
from tests.stages import project_study, run_stages


def variable(name: str, label: str, unit: str, role: str = "feature") -> Variable:
    made: Any = Variable(name, label, unit, "feature", name, (name,), "", "", "", "none", unit == "category")
    return replace(made, role=role)


def read(name: str, label: str, unit: str, role: str = "feature", study: Study | None = None) -> Trait:
    study = study or project_study().model_copy(update={"variables": {}, "value": None})
    return read_traits([variable(name, label, unit, role)], study)[0]


@pytest.mark.parametrize(
    ("name", "label", "unit", "meaning", "theme"),
    [
        ("n_orders", "Orders", "count", "frequency", "buying"),
        ("Anz_Bestellungen", "Anz. Bestellungen", "count", "frequency", "buying"),
        ("commandes", "Commandes", "count", "frequency", "buying"),
        ("spend", "Total spend", "money", "spend", "buying"),
        ("order_value", "Average order value", "money", "basket", "buying"),
        ("Rabatt", "Rabatt", "share", "discount", "price"),
        ("recency", "Days since last purchase", "days", "recency", "rhythm"),
        ("tenure", "Days since enrolment", "days", "tenure", "rhythm"),
        ("store_share", "Share of orders in stores", "share", "part", "channels"),
        ("wine_share", "Share of spend on wine", "share", "part", "products"),
        ("web_visits", "Web visits last month", "count", "visits", "contact"),
        ("Einkommen", "Einkommen", "money", "income", "people"),
        ("Edad", "Edad", "years", "age", "people"),
        ("NPS", "NPS", "number", "satisfaction", "opinions"),
        ("LoanAmount", "Loan amount", "money", "debt", "buying"),
        ("Employees", "Employees", "number", "company_size", "people"),
        ("Q7_r3", "Q7_r3", "number", "other", "other"),
    ],
)
def test_meaning_and_theme_follow_from_name_label_and_unit(
    name: str, label: str, unit: str, meaning: str, theme: str
) -> None:
    trait = read(name, label, unit)
    assert (trait.meaning, trait.theme) == (meaning, theme)


@pytest.mark.parametrize(
    ("name", "better"),
    [("Churned", "less"), ("default", "less"), ("Complain", "less"), ("unsubscribed", "less"), ("Response", "more")],
)
def test_an_outcome_has_a_good_direction_that_the_settings_can_turn(name: str, better: str) -> None:
    assert read(name, name, "yes_no", "outcome").better == better
    turned = project_study().model_copy(update={"variables": {name: VariableWords(better="neither")}})
    assert read(name, name, "yes_no", "outcome", turned).better == "neither"


def test_a_survey_item_is_an_opinion_whatever_it_is_called() -> None:
    source = Source(path="data/survey.csv", kind="survey", battery=("price",))
    study = project_study().model_copy(update={"sources": (source,), "variables": {}, "value": None})
    trait = read("price", "Discounts matter, 1 to 5", "number", study=study)
    assert (trait.meaning, trait.theme) == ("opinion", "opinions")


def test_the_settings_come_before_the_dictionary() -> None:
    words = VariableWords(theme="price", meaning="discount", part="", more="m", less="l", typical="t")
    study = project_study().model_copy(update={"variables": {"x": words}, "value": None})
    trait = read("x", "Orders", "count", study=study)
    assert (trait.meaning, trait.theme, trait.more, trait.less) == ("discount", "price", "m", "l")


def test_a_share_has_its_part_its_link_and_its_whole() -> None:
    trait = read("a", "Share of orders by catalogue", "share")
    assert (trait.whole, trait.link, trait.part) == ("orders", "by", "catalogue")
    trait = read("b", "Share of orders online", "share")
    assert (trait.whole, trait.link, trait.part, trait.theme) == ("orders", "", "online", "channels")


def test_traits_stand_in_the_order_of_the_themes() -> None:
    stages = run_stages()
    themes = [trait.theme for trait in read_traits(stages.features.table.variables, stages.study)]
    assert themes == sorted(themes, key=list(TITLES).index)


def test_each_word_of_the_dictionary_has_one_meaning() -> None:
    words = [word for entry in DICTIONARY for word in entry.words]
    assert len(words) == len(set(words))
