"""The grid of recency by frequency tells no small cell, neither at once nor by subtraction."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.customers.rfm import NAMES, NO_PURCHASE, rfm_grid

MIN_CELL = 10


def customers(counts: np.ndarray, none: int = 0) -> pd.DataFrame:
    """Draw no ties within a fifth: days and orders that put ``counts[r, f]`` customers near each cell."""
    rows = [(-r, f) for r in range(5) for f in range(5) for _ in range(int(counts[r, f]))]
    frame = pd.DataFrame(rows, columns=["recency_days", "frequency"]).astype(float)
    frame = frame + np.random.default_rng(1).uniform(0, 0.5, frame.shape)
    absent = pd.DataFrame({"recency_days": [math.nan] * none, "frequency": [0.0] * none})
    return pd.concat([frame, absent], ignore_index=True).assign(spend=1.0)


def test_shares_of_the_cells_and_of_no_purchase_add_up() -> None:
    grid = rfm_grid(customers(np.full((5, 5), 20), 25), MIN_CELL)
    assert grid is not None and grid.no_purchase == pytest.approx(25 / 525)
    assert [(c.recency, c.frequency) for c in grid.cells] == [(r, f) for r in range(1, 6) for f in range(1, 6)]
    assert [c.name for c in grid.cells] == [name for row in NAMES for name in row]
    assert sum(c.share or 0 for c in grid.cells) + grid.no_purchase == pytest.approx(1)


def test_a_few_customers_without_a_purchase_are_hidden_with_a_cell_to_cover_them() -> None:
    grid = rfm_grid(customers(np.full((5, 5), 20), 3), MIN_CELL)
    assert grid is not None and grid.no_purchase is None
    assert any(c.share is None for c in grid.cells)


def test_nothing_is_shown_where_every_cell_is_small() -> None:
    assert rfm_grid(customers(np.full((5, 5), 2)), MIN_CELL) is None


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=25, max_size=25), st.integers(0, 15))
def test_no_sum_of_a_row_column_or_name_gives_a_small_cell_away(drawn: list[int], none: int) -> None:
    table = customers(np.array(drawn).reshape(5, 5), none)
    if table["recency_days"].notna().sum() == 0:
        return
    grid = rfm_grid(table, MIN_CELL)
    if grid is None:
        return
    true = rfm_grid(table, 1)
    assert true is not None
    n = len(table)
    counts = np.array([round(n * (c.share or 0)) for c in true.cells] + [none])
    hidden = np.array([c.share is None for c in grid.cells] + [grid.no_purchase is None])
    names = np.array([c.name for c in grid.cells] + [NO_PURCHASE])
    assert not ((counts > 0) & (counts < MIN_CELL) & ~hidden).any()
    places = np.arange(25).reshape(5, 5)
    for line in [*places, *places.T, *(np.flatnonzero(names == name) for name in set(names)), np.arange(26)]:
        left = counts[line][hidden[line]].sum()
        assert left == 0 or left >= MIN_CELL or not (counts[line][~hidden[line]] > 0).any()
    whole = {name: int(counts[names == name].sum()) for name in set(names)}
    veiled = sum(n for name, n in whole.items() if n and hidden[(names == name) & (counts > 0)].all())
    if any(0 < n < MIN_CELL for n in whole.values()):
        assert veiled >= MIN_CELL
