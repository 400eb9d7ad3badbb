"""A cloud has the lumps of the data and their correlations, and holds no groups."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.clustering.references.clouds import Gaussian, is_lumped

N = 4_000


def lumped_points(rho: float) -> np.ndarray:
    """Draw a yes/no answer, an amount that is often zero, a second answer and a number, all of one latent normal."""
    rng = np.random.default_rng(3)
    common = rng.normal(size=N)
    each = [rho * common + np.sqrt(1 - rho**2) * rng.normal(size=N) for _ in range(4)]
    amount = np.where(each[1] > 0.3, np.exp(each[1]), 0.0)
    return np.column_stack([each[0] > 0.5, amount, each[2] > -0.2, each[3]]).astype(float)


def test_a_value_that_three_in_ten_share_is_a_lump() -> None:
    column = np.arange(100.0)
    assert not is_lumped(np.where(column < 29, 0, column))
    assert is_lumped(np.where(column < 30, 0, column))
    assert not is_lumped(np.ones(100))


@pytest.mark.parametrize("rho", [0.3, 0.7, 0.9])
def test_a_cloud_with_lumps_has_the_margins_and_correlations_of_the_data(rho: float) -> None:
    points = lumped_points(rho)
    cloud = Gaussian.of(points, ()).with_lumps(points).draw(N, np.random.default_rng(1))
    for j in (0, 2):
        assert set(np.unique(cloud[:, j])) == {0.0, 1.0}
        assert cloud[:, j].mean() == pytest.approx(points[:, j].mean(), abs=0.03)
    assert (cloud[:, 1] == 0).mean() == pytest.approx((points[:, 1] == 0).mean(), abs=0.03)
    assert np.corrcoef(cloud.T) == pytest.approx(np.corrcoef(points.T), abs=0.08)


def test_a_cloud_of_data_without_lumps_is_the_plain_one() -> None:
    points = np.random.default_rng(1).normal(size=(200, 3))
    plain = Gaussian.of(points, ())
    assert plain.with_lumps(points) is plain
