"""Survey answers as numbers, and how they were given."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.base.errors import InputError
from analysis.customers.surveys import survey_summary


def test_yes_and_no_become_one_and_zero_whatever_their_form() -> None:
    answers = pd.DataFrame({"a": ["Yes", " no ", None], "b": [True, False, True], "c": [1, 0, None]})
    summary = survey_summary(answers, ["a", "b", "c"])
    assert summary.frame["a"].to_list()[:2] == [1, 0] and math.isnan(summary.frame.loc[2, "a"])
    assert summary.frame["b"].to_list() == [1, 0, 1] and summary.frame["c"].to_list()[:2] == [1, 0]
    assert summary.batteries[0].scale == "yes_no"
    assert summary.notes == ("1 of 3 respondents left an item of survey empty.",)


def test_verbal_scales_become_their_positions() -> None:
    answers = pd.DataFrame({"a": ["Agree", "Strongly disagree", "neutral"], "b": ["agree", "Disagree", "Agree"]})
    summary = survey_summary(answers, ["a", "b"])
    assert summary.frame["a"].to_list() == [4, 1, 3] and summary.frame["b"].to_list() == [4, 2, 4]
    battery = summary.batteries[0]
    assert (battery.scale, battery.straight_lining, battery.acquiescence) == ("likert", 1 / 3, 0.5)
    assert summary.straight_lined["survey"].to_list() == [True, False, False]


def test_a_scale_given_in_the_settings_goes_first() -> None:
    answers = pd.DataFrame({"visits": ["Once a week", "Never", "Once a year"], "like": ["+3", "I hate it!-5", "0"]})
    summary = survey_summary(
        answers, {"often": ["visits"], "like": ["like"]}, scales={"often": ["Never", "Once a year", "Once a week"]}
    )
    assert summary.frame["visits"].to_list() == [3, 1, 2]
    assert summary.frame["like"].to_list() == [3, -5, 0]
    assert math.isnan(summary.batteries[0].straight_lining)


def test_plain_numbers_stay_and_have_no_acquiescence() -> None:
    summary = survey_summary(pd.DataFrame({"a": [1, 5, 7], "b": [1.0, None, 7.0]}), ["a", "b"])
    battery = summary.batteries[0]
    assert (battery.scale, battery.n_answered, battery.straight_lining) == ("number", 2, 1.0)
    assert math.isnan(battery.acquiescence) and len(summary.frame) == 3


@pytest.mark.parametrize(
    ("items", "scales", "message"),
    [
        (["yumy"], None, "Did you mean 'yummy'?"),
        (["words"], None, "do not match a known scale: blue, red"),
        (["words"], {"survey": ["red", "green"]}, "the answer 'blue' is not on the given scale"),
    ],
)
def test_what_cannot_be_read_is_named(items: list[str], scales: dict[str, list[str]] | None, message: str) -> None:
    answers = pd.DataFrame({"yummy": ["Yes", "No"], "words": ["red", "blue"]})
    with pytest.raises(InputError) as caught:
        survey_summary(answers, items, scales=scales)
    assert message in str(caught.value)


@pytest.mark.slow
def test_the_published_shares_of_the_fast_food_survey(dataset: Callable[[str], Path]) -> None:
    answers = pd.read_csv(dataset("mcdonalds.csv"))
    summary = survey_summary(answers, {"image": list(answers.columns[:11]), "like": ["Like"]})
    shares = summary.frame.mean().round(2)
    assert (shares["yummy"], shares["convenient"], shares["cheap"], shares["disgusting"]) == (0.55, 0.91, 0.6, 0.24)
    image, like = summary.batteries
    same = sum(len(set(row)) == 1 for row in answers.iloc[:, :11].to_numpy().tolist())
    assert image.n_answered == 1453 and image.straight_lining == same / 1453 == 11 / 1453
    assert image.acquiescence == pytest.approx(summary.frame.iloc[:, :11].to_numpy().mean())
    assert [value for _, value in like.codes] == list(range(-5, 6))
