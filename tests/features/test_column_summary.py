"""What came in: histograms and levels that add up, with no bar for a few customers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from analysis.base.disclosure import Disclosure
from analysis.customers.cleaning import clean
from analysis.features.binning import LEVELS, histogram, level_bars, month_bars
from analysis.features.column_summary import (
    ColumnSummary,
    Missingness,
    _count_patterns,
    find_missing_together,
    summarise_columns,
)
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.tables import RawTable, read_table
from tests.stages import run_stages

VALUES = st.lists(st.integers(-50, 50).map(float) | st.floats(-1e3, 1e3), max_size=120)


@pytest.mark.slow
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


def test_at_least_ten_values_lie_beyond_the_edges_of_a_histogram() -> None:
    values = np.random.default_rng(0).normal(50, 10, 60)
    bars = histogram(values, 10)
    assert (values < bars[0].low).sum() >= 10 and (values > bars[-1].high).sum() >= 10


def test_edges_of_a_histogram_are_round_numbers_and_no_customers_value() -> None:
    values = np.random.default_rng(4).gamma(2.0, 300.0, 400).round(2)
    bars = histogram(values, 10)
    edges = {bar.low for bar in bars} | {bar.high for bar in bars}
    assert len(edges) > 10 and all(edge is not None and edge % 50 == 0 for edge in edges)


def test_a_histogram_of_few_or_equal_values_is_empty() -> None:
    assert histogram(np.arange(19.0), 10) == ()
    assert histogram(np.ones(100), 10) == ()


LEVEL_COUNTS = st.lists(st.integers(1, 30), min_size=1, max_size=14)


@pytest.mark.slow
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


def summaries(folder: Path, min_cell: int = 10, **columns: Any) -> dict[str, ColumnSummary]:
    """Summarise the columns of a table."""
    raw, source, study = read(folder, min_cell, **columns)
    found = summarise_columns(raw, clean(raw, source, study), source, Disclosure(min_cell, public=False))
    return {column.name: column for column in found}


def read(folder: Path, min_cell: int = 10, **columns: Any) -> tuple[RawTable, Source, Study]:
    """Write a table of customers and read it back."""
    frame = pd.DataFrame(columns)
    frame.insert(0, "id", [f"c{i}" for i in range(len(frame))])
    frame.to_csv(folder / "a.csv", index=False)
    source = {"path": "a.csv", "key": "id", "roles": {"feature": ["x"]}}
    study = check_study({"title": "T", "min_cell": min_cell, "sources": [source]})
    return read_table(folder / "a.csv", root=folder), study.sources[0], study


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "told"),
    [
        (1000, ("p1", "p10", "median", "p90", "p99")),
        (999, ("p10", "median", "p90")),
        (99, ("median",)),
        (19, ()),
    ],
)
def test_a_quantile_stands_where_enough_customers_lie_beyond_it(tmp_path: Path, n: int, told: tuple[str, ...]) -> None:
    found = summaries(tmp_path, x=np.random.default_rng(4).normal(50, 9, n).round(3))["x"]
    assert tuple(q for q in ("p1", "p10", "median", "p90", "p99") if getattr(found, q) is not None) == told
    assert (found.skewness is None) == (found.outliers is None) == (not told)


def test_shape_and_outliers_of_a_column_are_told(tmp_path: Path) -> None:
    values = np.append(np.random.default_rng(5).normal(50, 9, 988), np.full(12, 500.0))
    found = summaries(tmp_path, x=values)["x"]
    assert found.outliers == 12
    assert found.skewness == pytest.approx(skew(values, bias=False), rel=1e-6)
    assert found.median == pytest.approx(np.median(values))


@pytest.mark.slow
def test_bars_do_not_tell_how_few_have_no_value(tmp_path: Path) -> None:
    values = np.random.default_rng(6).integers(0, 5, 300).astype(float)
    whole, gaps = (summaries(tmp_path, x=np.where(np.arange(300) < few, np.nan, values))["x"] for few in (0, 3))
    assert sum(bar.n for bar in whole.bars) == 300 and not whole.rounded
    assert gaps.rounded and all(bar.n % 10 == 0 and bar.n >= 10 for bar in gaps.bars)


def test_bars_and_missing_values_do_not_tell_how_few_were_not_believable(tmp_path: Path) -> None:
    raw, source, study = read(tmp_path, x=[*range(180), *[None] * 16, *[4_321] * 4])
    source = source.model_copy(update={"plausible": {"x": (0, 1000)}})
    (found,) = [
        c for c in summarise_columns(raw, clean(raw, source, study), source, Disclosure(public=False)) if c.name == "x"
    ]
    assert found.missing == 16 and found.rounded


@pytest.mark.slow
def test_notes_show_no_single_value_and_no_count_of_a_few(tmp_path: Path) -> None:
    found = summaries(
        tmp_path,
        x=["ask Mrs. Hill", *range(199)],
        told=["yes"] * 4 + ["no"] * 196,
        gap=["NA", "?", *["", *range(49)] * 3, *range(48)],
        day=["0001-01-01", "soon", "9999-12-31", *["2024-03-05"] * 197],
        said=["Hill's own words", *["nothing else"] * 199],
        scale=[*[1, 2, 3, 4, 5] * 39, 99, 99, 99, 1, 2],
    )
    notes = " ".join(column.note for column in found.values())
    assert "Hill" not in notes and "196" not in notes
    assert not any(words in notes for words in ("0001", "9999", "soon", "own words", "3 99"))
    assert "fewer than 10 outside 1800 to 2200 taken as missing" in found["day"].note
    assert "fewer than 10 not a date taken as missing" in found["day"].note
    assert "fewer than 10 not a number taken as missing" in found["x"].note
    assert found["told"].note == "two answers: yes and no"
    assert "missing is written as 'NA', written as '?'" in found["gap"].note


def patterns(folder: Path, counts: dict[str, int], min_cell: int = 10) -> Missingness:
    """Find what is missing together where so many customers lack the columns named by letters."""
    lacking = [letters for letters, n in counts.items() for _ in range(n)]
    columns = {c: ["" if c in letters else 7.5 + i for i, letters in enumerate(lacking)] for c in "xyz"}
    raw, source, _ = read(folder, min_cell, **columns)
    return find_missing_together(raw, source, min_cell)


def shown(found: Missingness) -> dict[str, int]:
    return {"+".join(c for g in p.groups for c in found.groups[g]): p.n for p in found.patterns}


def test_combinations_of_missing_columns_are_counted(tmp_path: Path) -> None:
    found = patterns(tmp_path, {"": 50, "x": 30, "xy": 20, "z": 10})
    assert shown(found) == {"x": 30, "x+y": 20, "z": 10} and not found.others


def test_columns_that_are_missing_for_the_same_customers_are_one(tmp_path: Path) -> None:
    found = patterns(tmp_path, {"": 50, "xy": 20, "xyz": 15})
    assert found.groups == (("x", "y"), ("z",))
    assert [p.groups for p in found.patterns] == [(0,), (0, 1)]


@pytest.mark.slow
def test_a_combination_that_would_tell_a_rare_one_by_subtraction_is_left_out(tmp_path: Path) -> None:
    found = patterns(tmp_path, {"": 50, "x": 30, "xy": 4, "z": 12})
    assert shown(found) == {"z": 12}, "34 lack x, so 30 of x alone would tell of 4 others"
    assert found.others
    found = patterns(tmp_path, {"": 50, "y": 30, "xy": 20, "xyz": 4})
    assert shown(found) == {"y": 30}, "one is enough to leave out"


@pytest.mark.slow
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["x", "y", "z", "xy", "xz", "yz", "xyz"]), st.integers(1, 25)))
def test_no_total_less_the_combinations_leaves_a_few(tmp_path: Path, counts: dict[str, int]) -> None:
    found = patterns(tmp_path, {"": 40, **counts})
    for column in "xyz":
        total = sum(n for letters, n in counts.items() if column in letters)
        left = total - sum(n for letters, n in shown(found).items() if column in letters.split("+"))
        assert total < 10 or left == 0 or left >= 10
    assert all(n >= 10 for n in shown(found).values())


def test_rows_by_month_are_not_shown_where_one_customer_has_most_of_them() -> None:
    dates = pd.Series(pd.date_range("2024-01-01", periods=120, freq="D"))
    people = pd.Series([f"c{i % 30}" for i in range(120)])
    assert len(month_bars(dates, people, 10)) == 4
    heavy = pd.concat([dates, dates, dates], ignore_index=True)
    assert month_bars(heavy, pd.concat([people, pd.Series(["c1"] * 240)], ignore_index=True), 10) == ()


@pytest.mark.parametrize("width", [1, 7, 8, 9, 20])
def test_patterns_are_counted_as_numpy_counts_rows(width: int) -> None:
    masks = np.random.default_rng(width).random((300, width)) < 0.2
    patterns, counts = _count_patterns(masks)
    expected = np.unique(masks, axis=0, return_counts=True)
    assert (patterns == expected[0]).all() and (counts == expected[1]).all()
