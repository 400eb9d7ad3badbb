"""Tests of descriptors: scipy's numbers, Holm's correction, and no p-value where segments were made to differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, kruskal
from statsmodels.stats.multitest import multipletests

from analysis.customers.surveys import find_order
from analysis.features.build import FeatureTable, Variable
from analysis.profiles.contrasts import Contrast, count_levels, find_contrasts
from tests.stages import run_stages

MIN_CELL = 10


def variable(name: str, role: str = "descriptor", unit: str = "number", *columns: str) -> Variable:
    made_of = columns or (name,)
    return Variable(name, name, unit, role, name, made_of, "", "", "", "auto", unit == "category")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def groups() -> tuple[FeatureTable, np.ndarray]:
    rng = np.random.default_rng(3)
    labels = np.repeat([1, 2, 3, 0], [200, 150, 120, 30]).astype(np.int16)
    feature = labels + rng.standard_normal(500)
    frame = pd.DataFrame(
        {
            "feature": feature,
            "copy": np.exp(feature),
            "part": rng.random(500) + labels,
            "age": 0.4 * labels + rng.standard_normal(500),
            "noise": rng.random(500),
            "answer": (rng.random(500) < labels / 5).astype(float),
            "level": np.array(["a", "b", "c"], object)[(labels + rng.integers(0, 2, 500)) % 3],
        }
    )
    frame.loc[::11, "age"] = np.nan
    variables = (
        variable("feature", "feature", "number", "visits", "id"),
        variable("copy"),
        variable("part", "descriptor", "number", "visits"),
        variable("age", "descriptor", "years", "born", "id"),
        variable("noise"),
        variable("answer", "outcome", "yes_no"),
        variable("level", "descriptor", "category"),
    )
    return FeatureTable(frame, variables), labels


def contrasts(table: FeatureTable, labels: np.ndarray, hidden: tuple[str, ...] = ()) -> dict[str, Contrast]:
    frame = table.frame
    texts = {"answer": frame["answer"].map({1.0: "Yes", 0.0: "No"}), "level": frame["level"]}
    counted = {name: found for name, x in texts.items() if (found := count_levels(x, labels, MIN_CELL))}
    found = find_contrasts(table, labels, tuple(table.of("feature")), counted, hidden, frozenset({"id"}))
    return {c.variable: c for c in found}


@pytest.mark.slow
def test_statistics_are_those_of_scipy_with_holms_correction(groups: tuple[FeatureTable, np.ndarray]) -> None:
    table, labels = groups
    found, inside = contrasts(*groups), labels > 0
    frame, own = table.frame[inside], labels[inside]
    plain = {}
    for name in ("age", "noise"):
        known = frame[name].dropna()
        statistic, plain[name] = kruskal(*(x for _, x in known.groupby(own[frame[name].notna()])))
        # Kelley's correction for chance, with three segments.
        assert found[name].effect == pytest.approx((statistic - 2) / (len(known) - 3))
    for name in ("answer", "level"):
        plain[name] = chi2_contingency(pd.crosstab(frame[name], own), correction=False)[1]
    corrected = multipletests(list(plain.values()), method="holm")[1]
    assert [found[name].p for name in plain] == pytest.approx(list(corrected))
    assert found["noise"].p is not None and found["noise"].p > 0.05 and found["noise"].size == "negligible"


def test_what_the_segments_were_made_of_has_no_p_value(groups: tuple[FeatureTable, np.ndarray]) -> None:
    found = contrasts(*groups)
    assert {name for name, c in found.items() if c.p is None} == {"copy", "part"}
    assert "feature" not in found


def test_what_is_not_published_by_segment_is_not_tested(groups: tuple[FeatureTable, np.ndarray]) -> None:
    assert "answer" not in contrasts(*groups, hidden=("answer",))


def test_a_constant_or_a_single_segment_is_not_tested(groups: tuple[FeatureTable, np.ndarray]) -> None:
    table, labels = groups
    constant = replace(table, frame=table.frame.assign(noise=1.0))
    assert "noise" not in contrasts(constant, labels)
    assert contrasts(table, np.minimum(labels, 1)) == {}


def test_the_largest_difference_comes_first_and_is_named_by_cohen(groups: tuple[FeatureTable, np.ndarray]) -> None:
    found = [c for c in contrasts(*groups).values() if c.test == "Kruskal-Wallis"]
    assert [c.effect for c in found] == sorted((c.effect for c in found), reverse=True)
    assert all((c.size == "large") == (c.effect >= 0.1378) for c in found)


def test_the_default_study_tests_demographics_and_not_spend() -> None:
    found = {c.variable: c for c in run_stages().profiles.contrasts}
    assert found["spend"].p is None and found["store_share"].p is None
    assert found["Income"].p is not None and found["Income"].p < 0.001 and found["Income"].size == "large"
    assert not {step.name for step in run_stages().prepared.steps} & set(found)


def test_rare_levels_are_merged_until_no_cell_is_small() -> None:
    labels = np.repeat([1, 2], 100).astype(np.int16)
    values = pd.Series((["x"] * 50 + ["y"] * 40 + ["z"] * 6 + [None] * 4) * 2, dtype=object)
    found = count_levels(values, labels, MIN_CELL)
    assert found is not None
    assert found[0] == ("x", "y", "Other") or found[0] == ("x", "Other")
    assert found[2].sum() == 200 and not ((found[2] > 0) & (found[2] < MIN_CELL)).any()


VISITS = ("Never", "Once a year", "Once a month", "Once a week", "More than once a week")


def test_levels_with_an_order_merge_with_their_neighbours() -> None:
    assert find_order(sorted(VISITS)) == VISITS
    shares = {1: (4, 30, 60, 60, 46), 2: (70, 60, 40, 25, 5)}
    labels = np.repeat([1, 2], 200).astype(np.int16)
    values = pd.Series([level for counts in shares.values() for level in np.repeat(VISITS, counts)], dtype=object)
    found = count_levels(values, labels, MIN_CELL, VISITS)
    assert found is not None
    assert found[0] == ("Never to Once a year", "Once a month", "Once a week to More than once a week")
    assert found[2].tolist() == [[34, 130], [60, 40], [106, 30]]


def test_who_gave_no_answer_is_no_neighbour_of_an_answer() -> None:
    labels = np.repeat([1, 2], 100).astype(np.int16)
    values = pd.Series(["-1"] * 40 + ["0"] * 40 + ["+1"] * 5 + [None] * 5 + ["-1"] * 40 + ["0"] * 30 + ["+1"] * 40)
    order = ("-1", "0", "+1")
    known = count_levels(values, labels, MIN_CELL, order)
    assert known is not None and known[0] == ("-1", "0 to +1") and known[2].sum() == 195
    told = count_levels(values.mask(values == "-1"), labels, MIN_CELL, order)
    assert told is not None and told[0][-1] == "Unknown"


def test_other_never_takes_in_more_than_a_third_of_the_customers() -> None:
    labels = np.repeat([1, 2], 100).astype(np.int16)
    values = pd.Series(
        [level for counts in ((50, 42, 4, 4), (10, 6, 44, 40)) for level in np.repeat(["p", "q", "r", "s"], counts)],
        dtype=object,
    )
    found = count_levels(values, labels, MIN_CELL)
    assert found is not None and found[0] == ("p or r", "q or s")
    many = pd.Series([f"town {i}" for i in range(40)] * 5, dtype=object)
    assert count_levels(many, labels, MIN_CELL) is None


def test_a_level_without_a_small_cell_is_kept_although_it_is_rarer_than_one_with() -> None:
    labels = np.repeat([1, 2], 200).astype(np.int16)
    first, second = (90, 60, 20, 15, 15), (100, 3, 40, 30, 27)
    levels = [level for counts in (first, second) for level in np.repeat(list("pqrst"), counts)]
    values = pd.Series(levels, dtype=object)
    found = count_levels(values, labels, MIN_CELL)
    assert found is not None and found[0] == ("p", "r", "s", "Other")
    assert found[2][-1].tolist() == [75, 30]
