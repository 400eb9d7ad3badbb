"""Intervals include that other customers would make other segments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.vq import kmeans2

from analysis.clustering.resample import Refits, match_refits
from analysis.profiles.uncertainty import interval, redraw, share_intervals
from tests.refits import same_segments


def test_refits_are_numbered_as_the_published_segments_they_share_most_customers_with() -> None:
    published = np.repeat([1, 2, 3], [50, 30, 20]).astype(np.int16)
    shuffled = np.array([0, 3, 1, 2], dtype=np.int16)[published]
    shuffled[0] = 1
    core, rows = np.ones(100, dtype=bool), np.arange(100)
    found = match_refits(published, [published, shuffled], rows, core, 10_000, seed=4)
    assert found.labels[0].tolist() == published.tolist()
    assert found.labels[1, 1:].tolist() == published[1:].tolist() and found.labels[1, 0] == 2
    assert found.counts.sum(axis=1).tolist() == [100, 100] and found.shrink == 1.0
    fewer = match_refits(published, [published], rows, core, 25, seed=4)
    assert fewer.counts.sum() == 25 and fewer.shrink == 0.5


def test_a_group_that_no_segment_is_matched_with_is_left_out() -> None:
    published = np.repeat([1, 2], 20).astype(np.int16)
    finer = np.repeat([1, 2, 3, 0], [20, 12, 5, 3]).astype(np.int16)
    found = match_refits(published, [finer], np.arange(40), np.ones(40, dtype=bool), 40, seed=0)
    assert found.labels[0].tolist() == [1] * 20 + [2] * 12 + [0] * 8


def test_who_is_outside_the_core_is_drawn_as_often() -> None:
    published = np.ones(4000, dtype=np.int16)
    core = np.arange(4000) < 2000
    counts = match_refits(published, [published] * 3, np.arange(4000), core, 1000, seed=1).counts
    assert counts[:, core].sum(axis=1).tolist() == [1000] * 3
    assert counts[:, ~core].mean() == pytest.approx(0.5, abs=0.05)


def test_means_shares_and_spread_are_those_of_the_resampled_customers() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(50, 9, (300, 3))
    values[::7, 1] = np.nan
    labels = rng.integers(0, 4, 300).astype(np.int16)
    refits = same_segments(labels, 5)
    found = redraw(values, refits, 3)
    for i, counts in enumerate(refits.counts):
        drawn = np.repeat(np.arange(300), counts)
        assert found.everyone[i] == pytest.approx(np.nanmean(values[drawn], axis=0))
        assert found.spread[i] == pytest.approx(np.nanstd(values[drawn], axis=0))
        for segment in (1, 2, 3):
            own = drawn[labels[drawn] == segment]
            assert found.means[i, segment - 1] == pytest.approx(np.nanmean(values[own], axis=0))
            assert found.shares[i, segment - 1] == pytest.approx(len(own) / 300)


def test_intervals_of_shares_hold_the_published_ones_and_add_up_to_a_whole() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat([1, 2], [200, 100]).astype(np.int16)
    worth = rng.gamma(2.0, 50.0, 300) * labels
    redrawn = redraw(worth[:, None], same_segments(labels), 2)
    sizes, parts = share_intervals(redrawn, labels, worth)
    for (low, high), exact in (
        (sizes, [2 / 3, 1 / 3]),
        (parts, [worth[labels == s].sum() / worth.sum() for s in (1, 2)]),
    ):
        assert (low < exact).all() and (exact < high).all()
        assert low[0] + high[1] == pytest.approx(1, abs=0.01)


def test_of_few_refits_an_interval_is_wider_and_without_any_it_has_no_width() -> None:
    drawn = np.random.default_rng(5).standard_normal((400, 1))
    low, high = interval(drawn, np.zeros(1))
    few_low, few_high = interval(drawn[:8], np.zeros(1))
    assert (low, high) == (pytest.approx(-1.96, abs=0.2), pytest.approx(1.96, abs=0.2))
    assert few_high - few_low > 2 * 2.2 * drawn[:8].std()
    nothing = interval(np.full((5, 1), np.nan), np.ones(1))
    assert nothing == (1.0, 1.0)
    halved = interval(drawn, np.zeros(1), 0.5)
    assert halved[1] == pytest.approx(high / 2)


def test_features_that_make_the_segments_vary_more_than_with_fixed_segments() -> None:
    rng = np.random.default_rng(6)
    values = rng.standard_normal((400, 2))
    centres, found = kmeans2(values, 3, seed=1, minit="++")
    published = (found + 1).astype(np.int16)
    draws, counts = [], []
    for _ in range(100):
        rows = rng.integers(0, 400, 400)
        fitted, _ = kmeans2(values[rows], centres, minit="matrix")
        draws.append(((values[:, None] - fitted) ** 2).sum(axis=2).argmin(axis=1) + 1)
        counts.append(np.bincount(rows, minlength=400))
    refits = Refits(np.arange(400), np.array(draws, dtype=np.int16), np.array(counts, dtype=np.uint8), 1.0)
    again, same = (redraw(values, each, 3).means.std(axis=0) for each in (refits, same_segments(published, 100)))
    assert (again / same).mean() > 1.4
