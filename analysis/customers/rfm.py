"""Recency, frequency and monetary value in fifths, and the 25 named RFM cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NAMES = (
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("Hibernating", "Hibernating", "At risk", "At risk", "Can't lose"),
    ("About to sleep", "About to sleep", "Need attention", "Loyal", "Loyal"),
    ("Promising", "Potential loyalist", "Potential loyalist", "Loyal", "Loyal"),
    ("New", "Potential loyalist", "Potential loyalist", "Champions", "Champions"),
)
"""Names of the cells: recency 1 to 5 downwards, frequency 1 to 5 to the right; 5 is best."""
NO_PURCHASE = "No purchase"
"""Group of the customers who bought nothing."""


@dataclass(frozen=True, slots=True)
class RfmCell:
    """A cell of the grid; ``share`` of all customers, None if it must not be published."""

    recency: int
    frequency: int
    name: str
    share: float | None


@dataclass(frozen=True, slots=True)
class RfmGrid:
    """The 25 cells, recency 1 first and frequency 1 first within; ``no_purchase`` is the share outside of them."""

    cells: tuple[RfmCell, ...]
    no_purchase: float | None


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


def rfm_grid(frame: pd.DataFrame, min_cell: int) -> RfmGrid | None:
    """Count the 25 cells; small ones are hidden, and as many others as keep them from being worked out.

    The sums of the rows, the columns, the named groups and of all are taken as known.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        As for `rfm_scores`.
    min_cell : int
        Fewest customers that a share may stand for.

    Returns
    -------
    RfmGrid or None
        None where no cell may be shown.
    """
    scores = rfm_scores(frame).dropna().astype("int64")
    counts = np.zeros(26, dtype=np.int64)
    np.add.at(counts, ((scores["R"] - 1) * 5 + scores["F"] - 1).to_numpy(), 1)
    counts[25] = len(frame) - len(scores)
    names = np.array([name for row in NAMES for name in row] + [NO_PURCHASE])
    shown = ~_hidden(counts, names, min_cell)
    if not counts[:25][shown[:25]].any():
        return None
    shares = [float(n / len(frame)) if is_shown else None for n, is_shown in zip(counts, shown, strict=True)]
    cells = (RfmCell(i // 5 + 1, i % 5 + 1, str(names[i]), shares[i]) for i in range(25))
    return RfmGrid(tuple(cells), shares[25])


def _hidden(counts: NDArray[np.int64], names: NDArray[np.str_], min_cell: int) -> NDArray[np.bool_]:
    """Return which counts must not be published: small ones, and the next in size if a sum reveals one."""
    groups = sorted((np.flatnonzero(names == name) for name in set(names)), key=lambda g: (counts[g].sum(), g[0]))
    grid = np.arange(25).reshape(5, 5)
    hidden = (counts > 0) & (counts < min_cell)
    # Shares of whole groups are published elsewhere; those of the rarest are merged there, as they are here.
    rare = 0
    for group in groups:
        if 0 < rare < min_cell or 0 < counts[group].sum() < min_cell:
            rare += int(counts[group].sum())
            hidden[group] |= counts[group] > 0
    lines = [*grid, *grid.T, *groups, np.arange(26)]
    while True:
        thin = [line for line in lines if 0 < counts[line][hidden[line]].sum() < min_cell]
        left = [line[(counts[line] > 0) & ~hidden[line]] for line in thin]
        left = [line for line in left if len(line)]
        if not left:
            return hidden
        hidden[left[0][np.argmin(counts[left[0]])]] = True


def _fifths(values: pd.Series) -> pd.Series:
    """1 to 5 by mean rank. Twice the mean rank is a whole number, so no edge is rounded."""
    twice = (values.rank(method="average") * 2).round().astype("int64")
    return (twice - 1) * 5 // (2 * max(len(values), 1)) + 1
