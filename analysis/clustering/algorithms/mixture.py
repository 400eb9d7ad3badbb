"""Gaussian mixture."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from analysis.clustering.algorithms.fits import PUBLISHED, Algorithm, Counts, Fit, Matrix, repeat_rows

RIDGE = 0.01
"""Added to the variances of a mixture, in squared scaled units, so that a value that many share is no spike. Chosen for
this project."""
AS_LIKELY = 1e-4
"""Part of their mean log likelihood by which two mixtures differ at most that count as one."""
SHORT_RUNS, SHORT_ROUNDS, MOST_FINISHED = 6, 8, 3
"""Short runs of a published mixture, their rounds, and how many are taken to their end at most."""


def fit_mixture(
    matrix: Matrix, ks: tuple[int, ...], seed: int, n_init: int, counts: Counts | None = None
) -> tuple[Fit, ...]:
    """Fit Gaussian mixtures, as `Algorithm.fit` says."""
    rows = matrix[repeat_rows(matrix, counts)]
    fits = []
    for k in ks:
        many = n_init > 3
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            if n_init >= PUBLISHED:
                model = _likeliest(rows, k, seed)
            else:
                tol, starts = (1e-3, 3) if many else (1e-2, 1)
                model = GaussianMixture(k, reg_covar=RIDGE, tol=tol, max_iter=200, n_init=starts, random_state=seed)
                model.fit(rows)
        bic = float(model.bic(rows)) if many else None
        means, shapes, shares = map(np.asarray, (model.means_, model.precisions_cholesky_, model.weights_))
        fits.append(Fit(means, shapes=shapes, shares=shares, bic=bic))
    return tuple(fits)


def _likeliest(rows: Matrix, k: int, seed: int) -> GaussianMixture:
    """Fit a mixture from the most promising of several short runs, until the best was found twice.

    Half of the runs start from k-means and half from rows that lie apart, as either alone misses what the other finds
    (Biernacki, Celeux and Govaert 2003).
    """
    how: Any = {"reg_covar": RIDGE, "tol": 1e-9, "max_iter": SHORT_ROUNDS, "warm_start": True}
    runs = [
        GaussianMixture(k, init_params=way, random_state=seed + run, **how).fit(rows)
        for run in range(SHORT_RUNS // 2)
        for way in ("kmeans", "k-means++")
    ]
    runs.sort(key=lambda model: -float(model.lower_bound_))
    likelihoods: list[float] = []
    for model in runs[:MOST_FINISHED]:
        likelihoods.append(float(model.set_params(tol=1e-3, max_iter=200).fit(rows).lower_bound_))
        best = max(likelihoods)
        if sum(each >= best - AS_LIKELY * abs(best) for each in likelihoods) >= 2:
            break
    return runs[int(np.argmax(likelihoods))]


MIXTURE = Algorithm(
    name="mixture",
    title="Gaussian mixture",
    about="k ellipses of any direction and size, overlapping; everyone goes to the likeliest.",
    places="to the likeliest ellipse",
    cost="grows with n",
    fit=fit_mixture,
    takes_k=True,
    simplicity=3,
    resample_rows=1_000,
)
