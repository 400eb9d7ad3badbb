"""What moves together: Spearman's correlations, Cramér's V without its bias, and the most related variables only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, spearmanr

from analysis.features.build import FeatureTable, Variable
from analysis.features.relations import MOST_RELATED, associate, correlate, cramers_v
from analysis.features.select import spearman
from analysis.profiles.contrasts import find_contrasts
from tests.stages import run_stages


def variables(frame: pd.DataFrame, unit: str) -> FeatureTable:
    """Give a table whose columns are all of one unit."""
    made = [
        Variable(n, n.upper(), unit, "descriptor", n, (n,), "", "", "", "auto", unit == "category")
        for n in map(str, frame)
    ]
    return FeatureTable(frame, tuple(made))


def test_correlations_are_spearmans_and_symmetric() -> None:
    stages = run_stages()
    found = stages.report.data.correlations
    matrix = np.array(found.rows)
    assert np.diag(matrix) == pytest.approx(np.ones(len(matrix)))
    assert matrix == pytest.approx(matrix.T)
    label = {v.label: v.name for v in stages.table.variables}
    first, second = found.labels[0], found.labels[1]
    pair = stages.table.frame[[label[first], label[second]]].dropna()
    assert matrix[0, 1] == pytest.approx(spearmanr(pair).statistic, abs=1e-6)


def holed(seed: int, n: int = 300) -> pd.DataFrame:
    """Give columns that are missing for different customers, and not at random: the third wants a high first."""
    rng = np.random.default_rng(seed)
    first = rng.gamma(1.0, 2.0, n)
    columns = {
        "often": first,
        "gap": np.where(rng.random(n) < 0.7, 10 / (1 + first) + rng.random(n), np.nan),
        "uneven": np.where(first > 2, first.round() + rng.integers(0, 3, n), np.nan),
        "whole": rng.integers(0, 4, n).astype(float),
        "few": np.where(np.arange(n) < 20, first, np.nan),
        "same": np.where(first > 2, 1.0, np.nan),
    }
    return pd.DataFrame(columns)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_each_pair_is_ranked_among_the_customers_who_have_both(seed: int) -> None:
    frame = holed(seed)
    rho, n_both = spearman(frame)
    names = list(frame)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            both = frame[[a, b]].dropna()
            assert n_both[i, j] == len(both)
            if len(both) < 30 or "same" in (a, b):
                assert np.isnan(rho[i, j])
            else:
                expected = 1.0 if a == b else spearmanr(both[a], both[b]).statistic
                assert rho[i, j] == pytest.approx(expected, abs=1e-9)
    found = correlate(variables(frame, "number"))
    at = {label: i for i, label in enumerate(found.labels)}
    published = found.rows[at["GAP"]][at["UNEVEN"]]
    assert published == pytest.approx(spearmanr(frame["gap"], frame["uneven"], nan_policy="omit").statistic, abs=1e-9)
    assert found.rows[at["FEW"]][at["OFTEN"]] is None, "a correlation over a few customers is not published"


def test_every_stage_that_asks_for_near_copies_ranks_the_pair_alone() -> None:
    # Over the customers who have both, the second rises with the first; ranked among all it wavers.
    rng = np.random.default_rng(0)
    first = np.concatenate([np.arange(20), 1000 + np.arange(180), rng.uniform(20, 1000, 1800)])
    frame = pd.DataFrame({"first": first, "second": np.concatenate([np.arange(200.0), np.full(1800, np.nan)])})
    table = variables(frame, "number")
    labels = np.tile([1, 2], 1000).astype(np.int16)
    forming = (table.variables[0],)
    (contrast,) = (c for c in find_contrasts(table, labels, forming, {}, ()) if c.variable == "second")
    assert contrast.p is None, "a near-copy of what formed the segments has no p-value"


def test_the_variables_with_the_strongest_relations_are_kept() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.standard_normal((300, 40)), columns=[f"v{i}" for i in range(40)])
    frame = frame.assign(twin=frame["v39"] + 0.01 * rng.standard_normal(300))
    found = correlate(variables(frame, "number"))
    assert len(found.labels) == len(found.rows) == MOST_RELATED < found.n_variables == 41
    assert {"V39", "TWIN"} <= set(found.labels)
    assert abs(found.labels.index("V39") - found.labels.index("TWIN")) == 1, "like stands beside like"


COUNTS = st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=5)


@pytest.mark.slow
@settings(deadline=None)
@given(COUNTS)
def test_the_corrected_v_is_never_above_the_plain_one_on_large_tables(counts: list[list[int]]) -> None:
    table = np.array(counts)
    v = cramers_v(table)
    assert 0 <= v <= 1
    kept = table[table.any(axis=1)][:, table.any(axis=0)]
    if kept.sum() >= 100 and min(kept.shape) >= 2:
        plain = np.sqrt(chi2_contingency(kept, correction=False).statistic / kept.sum() / (min(kept.shape) - 1))
        assert v <= plain + 0.05
    assert cramers_v(table.T) == pytest.approx(v)


def test_v_is_corrected_as_published() -> None:
    table = np.array([[25, 15, 10], [10, 20, 20]])
    phi2 = chi2_contingency(table, correction=False).statistic / 100
    rows, columns = 2 - 1 / 99, 3 - 4 / 99
    expected = np.sqrt((phi2 - 2 / 99) / (min(rows, columns) - 1))
    assert cramers_v(table) == pytest.approx(expected)


def test_independent_answers_have_a_v_near_zero_even_with_many_levels() -> None:
    rng = np.random.default_rng(2)
    table = np.zeros((12, 12), dtype=int)
    np.add.at(table, (rng.integers(0, 12, 400), rng.integers(0, 12, 400)), 1)
    plain = np.sqrt(chi2_contingency(table, correction=False).statistic / 400 / 11)
    assert cramers_v(table) < 0.08 < plain


def test_answers_are_compared_where_both_are_known_and_rare_levels_count_as_one() -> None:
    rng = np.random.default_rng(3)
    tier = rng.choice(["gold", "silver", "none"], 300)
    again = pd.Series(tier).str.upper().mask(rng.random(300) < 0.3).astype(object)
    rare = np.where(np.arange(300) < 8, [f"only {i}" for i in range(300)], "usual")
    frame = pd.DataFrame({"tier": tier, "again": again.where(again.notna(), None), "rare": rare, "one": ["x"] * 300})
    found = associate(variables(frame, "category"), 10)
    assert set(found.labels) == {"TIER", "AGAIN", "RARE"}, "one level says nothing"
    at = {label: i for i, label in enumerate(found.labels)}
    assert found.rows[at["TIER"]][at["AGAIN"]] == pytest.approx(1)
    assert found.rows[at["TIER"]][at["RARE"]] < 0.2


def test_yes_or_no_and_outcomes_are_among_the_answers() -> None:
    stages = run_stages()
    answers = {v.label for v in stages.table.variables if v.categorical or v.unit == "yes_no"}
    assert set(stages.report.data.associations.labels) <= answers
    assert {v.label for v in stages.table.of("outcome")} & set(stages.report.data.associations.labels)
