"""Allocation of customers to treatment and control by a keyed hash, and how balanced the groups are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TREATMENT, CONTROL = "treatment", "control"
BLOCK = 64
"""Bytes of a block of SHA-256."""
UNBALANCED = 0.1
"""Standardised difference from which a feature is reported as unbalanced (Austin 2009)."""


def draw_uniform(test: str, keys: Iterable[str]) -> NDArray[np.float64]:
    """Return a number in [0, 1) for each customer, from HMAC-SHA256 with the test's name as key.

    The number depends on test and customer alone: not on the machine, the order of the rows or who else is there.

    Examples
    --------
    >>> draw_uniform("spring", ["C1", "C2"]).round(3).tolist()
    [0.024, 0.3]
    """
    # HMAC (RFC 2104) written out, so that the two blocks of the test's name are hashed once and not for each customer.
    name = test.encode()
    block = (hashlib.sha256(name).digest() if len(name) > BLOCK else name).ljust(BLOCK, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    digests = []
    for key in keys.tolist() if isinstance(keys, pd.Series) else keys:
        inside, outside = inner.copy(), outer.copy()
        inside.update(str(key).encode())
        outside.update(inside.digest())
        digests.append(outside.digest()[:8])
    parts = b"".join(digests)
    # 53 bits, which a float holds exactly, so that no number is rounded up to one.
    return (np.frombuffer(parts, dtype=">u8") >> np.uint64(11)).astype(np.float64) / 2.0**53


def allocate(test: str, keys: Iterable[str], holdout: float) -> NDArray[np.str_]:
    """Return the group of each customer: control where its own number lies below ``holdout``.

    Parameters
    ----------
    test : str
        Name of the test.
    keys : iterable of str, length n
    holdout : float
        Share of customers that is held back on average.

    Returns
    -------
    ndarray of str, shape (n,)
    """
    return np.where(draw_uniform(test, keys) < holdout, CONTROL, TREATMENT)


def measure_balance(features: pd.DataFrame, groups: NDArray[Any]) -> pd.Series:
    """Return the standardised difference between treatment and control in each feature, the largest first.

    Parameters
    ----------
    features : DataFrame, shape (n, p)
        Numbers; a customer without a value takes no part in that feature.
    groups : ndarray of str, shape (n,)

    Returns
    -------
    Series of float, length p or less
        Difference of the means over the root of the mean variance; features without spread are left out.
    """
    numbers = features.select_dtypes("number").astype("float64")
    treated, control = numbers[groups == TREATMENT], numbers[groups == CONTROL]
    if not len(treated) or not len(control):
        return pd.Series(dtype="float64")
    spread = np.sqrt((treated.var(ddof=1) + control.var(ddof=1)) / 2)
    difference = ((treated.mean() - control.mean()) / spread)[spread > 0].dropna()
    return difference.loc[difference.abs().sort_values(ascending=False, kind="stable").index]
