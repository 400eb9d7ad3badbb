"""Recency, frequency and spend in fifths, and the 25 cells of recency by frequency with their names."""

from __future__ import annotations

import pandas as pd

NAMES = (
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"),
    ("Promising", "Potential loyalist", "Potential loyalist", "Loyal", "Loyal"),
    ("New", "Potential loyalist", "Potential loyalist", "Champions", "Champions"),
)
"""Names of the cells: recency 1 to 5 downwards, frequency 1 to 5 to the right; 5 is best."""


def rfm_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Score recency, frequency and spend from 1 to 5, a fifth of the customers each; ties score alike.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        With ``recency_days``, ``frequency`` and ``spend``, as `customer_features` gives.

    Returns
    -------
    DataFrame of Int64, shape (n, 3)
        Columns R, F, M; missing for customers without a purchase.
    """
    bought = frame[frame["recency_days"].notna()]
    scores = pd.DataFrame(
        {
            "R": _fifths(-bought["recency_days"]),
            "F": _fifths(bought["frequency"]),
            "M": _fifths(bought["spend"]),
        }
    )
    return scores.reindex(frame.index).astype("Int64")


def rfm_cells(frame: pd.DataFrame) -> pd.Series:
    """Name the cell of recency by frequency that each customer is in.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        As for `rfm_scores`.

    Returns
    -------
    Series of str, length n
        Missing for customers without a purchase.

    Examples
    --------
    >>> days, orders = [300, 200, 100, 50, 1], [1, 2, 3, 4, 9]
    >>> list(rfm_cells(pd.DataFrame({"recency_days": days, "frequency": orders, "spend": 1.0})))
    ['Hibernating', 'Hibernating', 'Need attention', 'Loyal', 'Champions']
    """
    scores = rfm_scores(frame).dropna().astype("int64")
    names = [NAMES[r - 1][f - 1] for r, f in zip(scores["R"], scores["F"], strict=True)]
    return pd.Series(names, index=scores.index, dtype="str", name="rfm").reindex(frame.index)


def _fifths(values: pd.Series) -> pd.Series:
    """1 to 5 by mean rank. Twice the mean rank is a whole number, so no edge is rounded."""
    twice = (values.rank(method="average") * 2).round().astype("int64")
    return (twice - 1) * 5 // (2 * max(len(values), 1)) + 1
