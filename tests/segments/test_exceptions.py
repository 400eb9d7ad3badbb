"""Exceptions from a portrait read as sentences, whatever the trait is about."""

from __future__ import annotations

import pytest

from analysis.features.build import Variable
from analysis.profiles.themes import read_traits
from analysis.segments.exceptions import MOST, _do, _say_minority
from analysis.segments.phrases import Phrases
from tests.stages import project_study


def phrases(name: str, label: str, unit: str, value: str | None = None) -> Phrases:
    variable = Variable(name, label, unit, "feature", name, (name,), "", "", "", "none", False)  # type: ignore[arg-type]
    study = project_study().model_copy(update={"value": value, "variables": {}, "period": "in two years"})
    (trait,) = read_traits((variable,), study)
    return Phrases(trait, study)


@pytest.mark.parametrize(
    ("label", "unit", "amount", "text"),
    [
        ("Orders", "count", "1 or fewer", "places 1 or fewer orders"),
        ("Share of orders by catalogue", "share", "15% or less", "places 15% or less of their orders by catalogue"),
        ("Share of spend on wine", "share", "0%", "spends nothing on wine"),
        ("Share of orders with a discount", "share", "17% or more", "uses a discount on 17% or more of their orders"),
        ("Average order value", "money", "€64 or less", "spends €64 or less per order"),
        ("Days since last order", "days", "7 months or less", "ordered within the last 7 months"),
        ("Days since last order", "days", "7 months or more", "has not ordered for 7 months or more"),
        ("Tenure years", "number", "6.6 years or more", "has been a customer for 6.6 years or more"),
        ("Num of products", "count", "2 or less", "uses 2 or fewer products"),
        ("Web visits last month", "count", "5 or more", "has 5 or more web visits last month"),
        ("Loan amount", "money", "14,000 or less", "is at 14,000 or less in “Loan amount”"),
        ("A&E BBQ", "number", "3 or more", "is at 3 or more in “A&E BBQ”"),
    ],
)
def test_a_tenth_at_the_other_end_does_something(label: str, unit: str, amount: str, text: str) -> None:
    assert _do(phrases("x", label, unit), amount) == text


@pytest.mark.parametrize(
    ("label", "share", "text"),
    [
        ("Has children at home", 0.32, "One in three has children at home."),
        ("Has children at home", 0.89, "One in ten does not have children at home."),
        ("Lives with a partner", 0.6, "Two in five do not live with a partner."),
        ("Is a member", 0.7, "Three in ten are not a member."),
        ("At the weekend", 0.24, "“At the weekend” applies to one in four of them."),
        ("Has a card", 0.5, ""),
        ("Has a card", 0.03, ""),
        ("Has a card", 1.0, ""),
    ],
)
def test_a_minority_is_told_where_it_is_an_exception(label: str, share: float, text: str) -> None:
    trait = phrases("x", label, "yes_no").trait
    assert MOST < 0.5
    assert _say_minority(trait, share, phrases("x", label, "yes_no").study) == text
