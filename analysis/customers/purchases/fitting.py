"""The search for the parameters of a model: maximum likelihood from several starts, on the log scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from analysis.base.errors import InputError

Floats = NDArray[np.float64]
Likelihood = Callable[[Floats], tuple[float, Floats]]

LOG_BOUND = 14.0
"""Bound of the logarithm of a parameter, times in units of the mean age of customers. Chosen for this project."""
AT_BOUND = 1.0
"""Distance of a logarithm from its bound below which a parameter counts as at the bound. Chosen for this project."""
STEP = 1e-5


def maximise(likelihood: Likelihood, starts: Floats) -> tuple[Floats, float, Floats]:
    """Maximise a likelihood from several starts.

    Parameters
    ----------
    likelihood : callable
        Of positive parameters, shape (p,): the log likelihood and its slopes, shape (p,).
    starts : ndarray, shape (s, p)

    Returns
    -------
    parameters : ndarray, shape (p,)
        The best of all starts; a parameter may be at its bound (see `check_fit`).
    log_likelihood : float
    covariance : ndarray, shape (p, p)
        Of the logarithms of the parameters: the inverse Hessian.
    """

    def loss(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, slopes = likelihood(parameters)
        return -value, -slopes * parameters

    bounds = [(-LOG_BOUND, LOG_BOUND)] * starts.shape[1]
    options = {"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-8}
    runs = [minimize(loss, np.log(s), jac=True, bounds=bounds, method="L-BFGS-B", options=options) for s in starts]
    best = min(runs, key=lambda run: run.fun)
    moves = np.eye(len(best.x)) * STEP
    hessian = np.array([(loss(best.x + m)[1] - loss(best.x - m)[1]) / (2 * STEP) for m in moves])
    # A flat direction (a parameter at its bound) gets no weight rather than an infinite one.
    covariance = np.linalg.pinv((hessian + hessian.T) / 2, rcond=1e-10, hermitian=True)
    return np.exp(best.x), -float(best.fun), covariance.astype(np.float64)


def check_fit(model: str, symbols: tuple[str, ...], parameters: Floats, log_likelihood: float) -> None:
    """Refuse a fit that found no maximum: a parameter at its bound, or a likelihood that is no number.

    Parameters
    ----------
    model : str
        Its name in the literature.
    symbols : tuple of str, length p
    parameters : ndarray, shape (p,)
        As `maximise` gives them.
    log_likelihood : float

    Raises
    ------
    InputError
    """
    logs = np.log(parameters)
    if np.isfinite(log_likelihood) and (np.abs(logs) < LOG_BOUND - AT_BOUND).all():
        return
    at = [symbol for symbol, value in zip(symbols, logs, strict=True) if not abs(value) < LOG_BOUND - AT_BOUND]
    where = f" ({', '.join(at)} at the bound of the search)" if at and np.isfinite(log_likelihood) else ""
    raise InputError(
        f"Lifetime value: {model} could not be fitted{where}.",
        "Expected customers who differ in how often they buy and in when they leave.",
        "Use a longer period, or leave out lifetime value.",
    )


def check_histories(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats, Floats]:  # noqa: N803
    """Convert histories to arrays of float, and refuse those that contradict themselves.

    Parameters
    ----------
    x, t_x, T : array, shape (n,)
        Repeat purchases, and the age at the last of them and at the end of the observation.

    Raises
    ------
    InputError
        Not ``0 <= t_x <= T``, or ``t_x`` not 0 exactly where there is no repeat purchase.
    """
    x, t_x, T = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (x, t_x, T))  # noqa: N806
    wrong = ~((x >= 0) & (t_x >= 0) & (t_x <= T)) | ((x == 0) != (t_x == 0))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"Lifetime value: history {at} has x = {x[at]:g}, t_x = {t_x[at]:g}, T = {T[at]:g}.",
            "Expected 0 <= t_x <= T, and t_x = 0 exactly where there is no repeat purchase.",
        )
    return x, t_x, T
