"""The whole path from allocation to interval, on ten thousand tests without an effect and as many with one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from analysis.experiments.allocation import allocate
from analysis.experiments.statistics import adjust_by_before, check_ratio, compare_means, compare_shares
from analysis.sources.synthetic.retailer import make_retailer

N_TESTS = 10_000
LIFT = 6.0


@pytest.fixture(scope="module")
def spend() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Give 2,000 customers of the retailer with their spend in the last quarter and in the one before: heavy-tailed."""
    made = make_retailer(2000)
    orders = made.orders[made.orders["amount"] < 10_000]
    keys = sorted(made.customers["customer_id"])
    parts = [
        orders[(orders["date"] >= first) & (orders["date"] <= last)].groupby("customer_id")["amount"].sum()
        for first, last in (("2025-04-01", "2025-06-30"), ("2025-01-01", "2025-03-31"))
    ]
    after, before = (part.reindex(keys).fillna(0.0).to_numpy() for part in parts)
    return keys, after, before


def masks(keys: list[str], holdout: float, n_tests: int = N_TESTS) -> Iterator[np.ndarray]:
    """Yield who is treated in each of many tests."""
    for i in range(n_tests):
        yield allocate(f"test-{i}", keys, holdout) == "treatment"


def welch(values: np.ndarray, treated: np.ndarray, lift: float) -> tuple[np.ndarray, np.ndarray]:
    """Return false alarms and covered truths over tests, shape (t,); ``treated`` has shape (t, n)."""
    n, m = treated.sum(axis=1), (~treated).sum(axis=1)
    one, other = treated @ values / n, ~treated @ values / m
    spreads = [
        (mask @ values**2 - size * mean**2) / (size - 1) / size
        for mask, size, mean in ((treated, n, one), (~treated, m, other))
    ]
    error = np.sqrt(spreads[0] + spreads[1])
    # With hundreds in each group Welch's quantile is that of the normal distribution to the third digit.
    difference = one - other + lift
    return np.abs(one - other) > 1.9612 * error, np.abs(difference - lift) <= 1.9612 * error


@pytest.mark.trials
@pytest.mark.parametrize("holdout", [0.5, 0.1])
def test_false_alarms_and_coverage_are_as_promised(
    spend: tuple[list[str], np.ndarray, np.ndarray], holdout: float
) -> None:
    keys, values, before = spend
    treated = np.array(list(masks(keys, holdout)))
    alarms, covered = welch(values, treated, LIFT)
    print(f"hold-out {holdout}: {alarms.mean():.4f} false alarms, {covered.mean():.4f} covered, of {N_TESTS:,}")
    if holdout == 0.5:
        assert 0.04 <= alarms.mean() <= 0.06
        assert 0.94 <= covered.mean() <= 0.96
    else:
        assert 0.03 <= alarms.mean() <= 0.08
    for i in range(5):
        # The vectorised path is that of the command.
        found = compare_means(values[treated[i]], values[~treated[i]])
        assert (found.p < 0.05) == alarms[i]
    adjusted, narrowed = adjust_by_before(values, before)
    errors = [np.std(treated @ x / treated.sum(1) - ~treated @ x / (~treated).sum(1)) for x in (values, adjusted)]
    print(f"CUPED: variance ratio {(errors[1] / errors[0]) ** 2:.3f}, said to narrow by {narrowed:.3f}")
    assert errors[1] / errors[0] == pytest.approx(1 - narrowed, abs=0.02)


@pytest.mark.trials
def test_shares_alarm_as_promised_and_the_ratio_check_fires_on_a_broken_allocation(
    spend: tuple[list[str], np.ndarray, np.ndarray],
) -> None:
    keys, values, _ = spend
    ordered = (values > 0).astype(float)
    alarms, ratios = [], []
    for treated in masks(keys, 0.5, 2_000):
        alarms.append(compare_shares(ordered[treated], ordered[~treated]).p < 0.05)
        ratios.append(check_ratio(int(treated.sum()), int((~treated).sum()), 0.5) < 0.001)
    print(f"shares: {np.mean(alarms):.4f} false alarms; ratio check: {np.mean(ratios):.4f}")
    assert 0.035 <= np.mean(alarms) <= 0.065
    assert np.mean(ratios) <= 0.004
    # Customers who did not order are lost from the control: the sizes betray it.
    treated = next(masks(keys, 0.5, 1))
    assert check_ratio(int(treated.sum()), int((~treated & (ordered > 0)).sum()), 0.5) < 0.001
