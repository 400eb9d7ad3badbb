"""Profiles with survey weights: whole ones give the figures of as many rows, and tests allow for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, kruskal

from analysis.base.disclosure import Disclosure
from analysis.base.weights import effective_size
from analysis.clustering.resample import match_refits
from analysis.features.build import FeatureTable, Variable
from analysis.profiles.contrasts import count_levels, find_contrasts
from analysis.profiles.distributions import measure_spread
from analysis.profiles.mixes import find_mixes
from analysis.profiles.profile import Profiles, profile_segments
from analysis.profiles.themes import read_traits
from analysis.profiles.uncertainty import redraw, share_intervals
from analysis.profiles.value import measure_concentration, share_value
from analysis.settings.models import Study
from tests.refits import as_they_are, same_segments

MIN_CELL = 10
STUDY = Study.model_construct(value="spend", min_cell=MIN_CELL, seed=1, sources=(), disclosure="internal")
UNITS = {"region": "category", "agrees": "yes_no"}


def variable(name: str) -> Variable:
    role: Any = "feature" if name in ("a", "b") else "descriptor"
    unit = UNITS.get(name, "number")
    return Variable(name, name.title(), unit, role, name, (name,), "", "", "", "auto", unit == "category")


def make(n: int = 400, seed: int = 0) -> tuple[FeatureTable, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2]).astype(np.int16)
    frame = pd.DataFrame(
        {
            "a": 4.0 * labels + rng.standard_normal(n),
            "b": np.where(rng.random(n) < 0.1, np.nan, rng.random(n)),
            "spend": rng.gamma(2, 10, n) * labels,
            "agrees": (rng.random(n) < 0.2 * labels).astype(float),
            "region": rng.choice(["North", "South", "East", "Far"], n, p=[0.4, 0.3, 0.25, 0.05]),
        }
    )
    weights = rng.integers(1, 5, n).astype(float) * np.where(frame["region"] == "North", 2, 1)
    return FeatureTable(frame, tuple(map(variable, frame)), weights), labels


def repeat(table: FeatureTable, labels: np.ndarray) -> tuple[FeatureTable, np.ndarray]:
    assert table.weights is not None
    rows = np.repeat(np.arange(len(labels)), table.weights.astype(int))
    return FeatureTable(table.frame.iloc[rows].reset_index(drop=True), table.variables), labels[rows]


def profile(table: FeatureTable, labels: np.ndarray, study: Study = STUDY) -> Profiles:
    matrix = table.frame[["a", "b"]].fillna(0).to_numpy(float)
    prepared = as_they_are(table, table.variables[:2])
    return profile_segments(table, labels, matrix, prepared, study, same_segments(labels))


def test_whole_weights_give_the_figures_of_as_many_rows() -> None:
    weighted, rows = (profile(*given) for given in (make(), repeat(*make())))
    for name, summary in weighted.everyone.items():
        other = rows.everyone[name]
        assert (summary.mean, summary.median) == pytest.approx((other.mean, other.median))
        assert summary.p90 == pytest.approx(other.p90, rel=0.05) and summary.n <= other.n
    assert weighted.value_total == pytest.approx(rows.value_total)
    for own, other in zip(weighted.segments, rows.segments, strict=True):
        assert own.n < other.n
        assert (own.share, own.value_total, own.value_share) == pytest.approx(
            (other.share, other.value_total, other.value_share)
        )
        for here, there in zip(own.differences, other.differences, strict=True):
            assert (here.ratio, here.summary.median) == pytest.approx((there.ratio, there.summary.median))
            # The unit of the scale is that of the rows.
            assert here.z == pytest.approx(there.z, abs=0.1, rel=0.15)
            assert here.marker == there.marker
    for here, there in zip(weighted.categories, rows.categories, strict=True):
        shares = {level: each for level, *each in zip(here.levels, here.everyone, *here.segments, strict=True)}
        for level, *each in zip(there.levels, there.everyone, *there.segments, strict=True):
            assert level not in shares or shares[level] == pytest.approx(each)
    assert weighted.concentration and rows.concentration
    assert [x for each in weighted.concentration.segments for x in each] == pytest.approx(
        [x for each in rows.concentration.segments for x in each]
    )


def test_weights_change_figures_but_not_how_many_rows_they_rest_on() -> None:
    table, labels = make()
    weighted, plain = profile(table, labels), profile(FeatureTable(table.frame, table.variables), labels)
    assert [s.n for s in weighted.segments] == [s.n for s in plain.segments]
    (own,) = (c for c in weighted.categories if c.variable == "region")
    (other,) = (c for c in plain.categories if c.variable == "region")
    assert own.everyone[own.levels.index("North")] > other.everyone[other.levels.index("North")] + 0.1


def test_the_value_curve_of_whole_weights_is_that_of_as_many_rows() -> None:
    (table, labels), (rows, other) = make(), repeat(*make())
    rules = Disclosure(MIN_CELL, public=False)
    own = measure_concentration(table.frame["spend"].to_numpy(float), labels, rules, table.weights)
    expected = measure_concentration(rows.frame["spend"].to_numpy(float), other, rules)
    assert own and expected
    curve = np.array(expected.curve)
    for people, value in own.curve:
        assert value == pytest.approx(np.interp(people, curve[:, 0], curve[:, 1]), abs=0.03)


def test_distributions_and_mixes_are_of_the_population() -> None:
    table, labels = make()
    matrix = table.frame[["a", "b"]].fillna(0).to_numpy(float)
    spend = table.frame["spend"].to_numpy(float)
    (found,) = (
        d
        for d in measure_spread(table, labels, matrix, table.variables[:2], {"spend": spend}, MIN_CELL).distributions
        if d.variable == "spend"
    )
    assert table.weights is not None
    for each in found.everyone[1:-1]:
        inside = (spend >= each.low) & (spend < each.high)
        assert each.share == pytest.approx(table.weights[inside].sum() / table.weights.sum(), abs=0.0151)
    frame = pd.DataFrame({"shop": table.frame["agrees"] * 0.6 + 0.2, "web": 0.8 - table.frame["agrees"] * 0.6})
    parts = tuple(
        Variable(name, f"Orders by {name}", "share", "feature", name, (name,), "", "", "", "auto", False)
        for name in frame
    )
    mixed = FeatureTable(frame, parts, table.weights)
    for given, mixes in enumerate(find_mixes(mixed, labels, read_traits(parts, STUDY), Disclosure(MIN_CELL)), start=1):
        for mix in mixes:
            for part in mix.parts:
                own = frame[part.variable].to_numpy()[labels == given]
                assert part.share == pytest.approx(np.average(own, weights=table.weights[labels == given]))


def test_a_cell_with_most_of_its_weight_in_few_rows_is_small() -> None:
    values = pd.Series(["yes"] * 30 + ["no"] * 30)
    labels, weights = np.ones(60, np.int16), np.ones(60)
    assert count_levels(values, labels, MIN_CELL, weights=weights) is not None
    weights[0] = 40.0
    assert count_levels(values, labels, MIN_CELL, weights=weights) is None


@pytest.mark.parametrize("public", [True, False])
def test_a_yes_or_no_that_one_heavy_row_decides_is_hidden(public: bool) -> None:
    table, labels = make()
    assert table.weights is not None
    yes = np.flatnonzero((labels == 3) & (table.frame["agrees"] == 1))
    weights = table.weights.copy()
    weights[yes[0]] = 0.9 * weights[yes[1:]].sum()
    study = STUDY.model_copy(update={"disclosure": "public" if public else "internal"})
    assert "agrees" not in profile(table, labels, study).hidden
    assert "agrees" in profile(FeatureTable(table.frame, table.variables, weights), labels, study).hidden


def shares_of(worth: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> list[float | None]:
    return share_value(worth, labels, Disclosure(MIN_CELL), weights)[1]


def test_shares_of_value_need_both_sums_not_to_be_dominated() -> None:
    labels = np.repeat([1, 2], 40).astype(np.int16)
    worth, weights = np.full(80, 10.0), np.ones(80)
    assert shares_of(worth, labels, weights) == [0.5, 0.5]
    heavy = np.append(50.0, np.ones(79))
    assert shares_of(worth, labels, heavy) == [None, None]
    rich, light = np.append(500.0, np.full(79, 10.0)), np.append(0.01, np.ones(79))
    assert shares_of(rich, labels, light) == [None, None]


@pytest.mark.parametrize("scale", [1.0, 250.0])
def test_tests_are_those_of_a_sample_of_the_effective_size(scale: float) -> None:
    table, labels = make(seed=4)
    assert table.weights is not None
    table = FeatureTable(table.frame, table.variables, scale * table.weights)
    counted = count_levels(table.frame["region"], labels, MIN_CELL, weights=table.weights)
    assert counted is not None
    found = {c.variable: c for c in find_contrasts(table, labels, table.variables[:1], {"region": counted}, ())}
    weights, n = table.weights / scale, effective_size(table.weights)
    assert n < 0.9 * len(labels)
    rows = pd.DataFrame({"region": table.frame["region"], "segment": labels, "w": weights})
    merged = rows["region"].where(rows["region"].isin(counted.levels), "Other")
    proportions = rows.pivot_table(index=merged, columns="segment", values="w", aggfunc="sum") / weights.sum()
    chi: Any = chi2_contingency(n * proportions.to_numpy(), correction=False)
    assert counted.weighed.sum() == pytest.approx(n)
    order = sorted(c.p for c in found.values() if c.p is not None)
    assert found["region"].p is not None and found["region"].p >= chi.pvalue * 0.999
    assert any(p == pytest.approx(min(1.0, chi.pvalue * m)) for p in order for m in range(1, len(order) + 1))


@pytest.mark.parametrize("equal", [1.0, 7.0])
def test_equal_weights_give_the_usual_rank_test(equal: float) -> None:
    table, labels = make(seed=5)
    alone = FeatureTable(table.frame[["a", "spend"]], (table.variables[0], table.variables[2]), np.full(400, equal))
    (found,) = find_contrasts(alone, labels, alone.variables[:1], {}, ())
    statistic, p = kruskal(*(table.frame["spend"][labels == j] for j in (1, 2, 3)))
    assert found.p == pytest.approx(p) and found.effect == pytest.approx((statistic - 2) / 397)


def interval_widths(n: int, weigh: Callable[[np.random.Generator], np.ndarray]) -> tuple[float, float]:
    """Width of the interval of a share, and that of the normal approximation with the design effect."""
    rng = np.random.default_rng(8)
    labels, weights = rng.choice([1, 2], n).astype(np.int16), weigh(rng)
    core = np.ones(n, dtype=bool)
    refits = match_refits(labels, [labels] * 400, np.arange(n), core, 10_000, 1, weights)
    redrawn = redraw(np.ones((n, 1)), refits, 2)
    ((low, high), _) = share_intervals(redrawn, labels, np.ones(n), weights)
    share = float(weights[labels == 1].sum() / weights.sum())
    return float(high[0] - low[0]), 2 * 1.96 * float(np.sqrt(share * (1 - share) / effective_size(weights)))


def test_intervals_are_as_wide_as_the_design_effect_makes_them() -> None:
    width, expected = interval_widths(800, lambda rng: rng.lognormal(0, 0.9, 800))
    assert width == pytest.approx(expected, rel=0.12)
    even, usual = interval_widths(800, lambda rng: rng.uniform(0.9, 1.1, 800))
    assert even == pytest.approx(usual, rel=0.12) and width > 1.3 * even
