"""Survey answers as numbers, and how they were given."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
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


def opinions(n: int = 200, yeas: int = 0, lined: int = 0) -> pd.DataFrame:
    """Make answers from 1 to 5 to three items and three that say the contrary; then yea-sayers and straight-liners."""
    rng = np.random.default_rng(4)
    opinion = rng.normal(size=(n, 1)) * np.array([1, 1, 1, -1, -1, -1]) + rng.normal(scale=0.6, size=(n, 6))
    answers = np.clip(np.round(3 + opinion), 1, 5).astype(int)
    answers[:yeas] = rng.integers(4, 6, (yeas, 6))
    answers[n - lined :] = rng.integers(1, 6, (lined, 1))
    return pd.DataFrame(answers, columns=[f"item{j}" for j in range(1, 7)])


def test_yea_sayers_agree_with_items_of_both_directions() -> None:
    usual, many = (survey_summary(opinions(yeas=yeas), list(opinions())).batteries[0] for yeas in (0, 30))
    assert set(usual.reversed_items) in ({"item1", "item2", "item3"}, {"item4", "item5", "item6"})
    assert usual.yea_saying < 0.02
    assert many.yea_saying == pytest.approx(0.15, abs=0.02)
    assert usual.n_asked == 200


def test_without_items_of_the_other_direction_all_must_be_agreed_with() -> None:
    answers = pd.DataFrame([[5, 4, 5, 4], [4, 4, 2, 4], [1, 2, 1, 2], [3, 3, 4, 3]], columns=list("abcd"))
    battery = survey_summary(answers, list("abcd")).batteries[0]
    assert (battery.reversed_items, battery.yea_saying) == ((), 0.25)


def test_numbers_that_are_no_scale_have_no_yea_sayers() -> None:
    answers = pd.DataFrame({"a": [10.5, 200.0, 31.0], "b": [1.0, 5.0, 900.0]})
    assert math.isnan(survey_summary(answers, ["a", "b"]).batteries[0].yea_saying)
