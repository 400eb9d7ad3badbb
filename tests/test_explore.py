"""What came in: histograms and levels that add up, with no bar for a few customers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from analysis.explore import LEVELS, histogram, level_bars
from tests.stages import run_stages

VALUES = st.lists(st.integers(-50, 50).map(float) | st.floats(-1e3, 1e3), max_size=120)


@settings(deadline=None)
@given(VALUES, st.integers(2, 15))
def test_a_histogram_counts_everyone_once_and_no_bar_is_small(values: list[float], min_cell: int) -> None:
    bars = histogram(np.array(values), min_cell)
    if not bars:
        return
    assert sum(bar.n for bar in bars) == len(values)
    assert all(bar.n >= min_cell for bar in bars)
    for before, after in pairwise(bars):
        assert before.high == after.low
    assert all(bar.low < bar.high for bar in bars)  # type: ignore[operator]


def test_no_edge_of_a_histogram_is_the_most_extreme_customers_value() -> None:
    values = np.append(np.random.default_rng(0).normal(50, 10, 999), 666_666.0)
    bars = histogram(values, 10)
    assert bars[-1].high is not None and bars[-1].high < 200


def test_a_histogram_of_few_or_equal_values_is_empty() -> None:
    assert histogram(np.arange(19.0), 10) == ()
    assert histogram(np.ones(100), 10) == ()


LEVEL_COUNTS = st.lists(st.integers(1, 30), min_size=1, max_size=14)


@settings(deadline=None)
@given(LEVEL_COUNTS, st.integers(2, 12))
def test_level_bars_count_everyone_once_and_a_rare_level_is_not_named(counts: list[int], min_cell: int) -> None:
    values = pd.Series(np.concatenate([[f"level {i}"] * n for i, n in enumerate(counts)]), dtype=object)
    bars = level_bars(values, min_cell)
    total = sum(bar.n for bar in bars)
    assert total == len(values)
    assert len(bars) <= LEVELS + 1
    if len(values) >= min_cell:
        assert all(bar.n >= min_cell for bar in bars)
    for bar in bars:
        if bar.label != "Other":
            assert bar.n == counts[int(bar.label.split()[1])]


def test_a_level_of_the_data_called_other_is_not_counted_twice() -> None:
    values = pd.Series(["Other"] * 30 + ["A"] * 40 + ["B"] * 6 + ["C"] * 6, dtype=object)
    assert [(bar.label, bar.n) for bar in level_bars(values, 10)] == [("A", 40), ("Other", 42)]


def test_zeros_and_ones_read_as_no_and_yes() -> None:
    bars = level_bars(pd.Series([0, 1, 1] * 20), 10)
    assert {bar.label: bar.n for bar in bars} == {"No": 20, "Yes": 40}


def test_the_columns_are_summarised_in_the_order_of_the_file_with_safe_numbers() -> None:
    stages = run_stages()
    columns = stages.report.data.columns
    assert [c.name for c in columns] == list(stages.raw.frame.columns)
    by_name = {c.name: c for c in columns}
    assert by_name["ID"].role == "key" and by_name["ID"].bars == ()
    assert by_name["Z_Revenue"].bars == ()
    assert by_name["Income"].missing == int(stages.raw.frame["Income"].isna().sum())
    assert by_name["Income"].median == pytest.approx(stages.cleaned.frame["Income"].median(), rel=1e-5)
    for column in columns:
        assert all(bar.n >= stages.study.min_cell for bar in column.bars)


def test_correlations_are_spearmans_and_symmetric() -> None:
    stages = run_stages()
    found = stages.report.data.correlations
    matrix = np.array(found.rows)
    assert np.diag(matrix) == pytest.approx(np.ones(len(matrix)))
    assert matrix == pytest.approx(matrix.T)
    label = {v.label: v.name for v in stages.table.variables}
    first, second = found.labels[0], found.labels[1]
    pair = stages.table.frame[[label[first], label[second]]].dropna()
    assert matrix[0, 1] == pytest.approx(spearmanr(pair).statistic, abs=0.01)
