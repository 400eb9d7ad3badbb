"""Ways to group customers that segments are compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.formats import in_sentence
from analysis.base.run import Effort
from analysis.clustering.algorithms import Matrix, competing
from analysis.clustering.algorithms.published import fit_customers
from analysis.clustering.holdout import LEAVES, Floats, Grouping
from analysis.customers.rfm import NO_PURCHASE, rfm_cells, rfm_scores
from analysis.features.build import FeatureTable
from analysis.features.prepare import Blocks
from analysis.settings.models import Study

FIFTHS = 5
"""Groups of the value that segments are compared with, whatever their number."""
BINS = 50
"""Groups that the purchase model's expectations are ranked into, so that they are counted as the others are. Chosen for
this project."""


def form_segments(
    matrix: Matrix, core: NDArray[np.bool_], blocks: Blocks, way: tuple[str, int], study: Study, effort: Effort
) -> NDArray[np.intp] | None:
    """Form segments by an algorithm and a number of segments.

    Parameters
    ----------
    matrix : ndarray, shape (n, p)
    core : ndarray of bool, shape (n,)
    blocks : tuple of (int, int)
        Columns of the matrix that are the levels of a category.
    way : (str, int)
        Algorithm and number of segments.
    study : Study
        Uses ``seed`` and ``starts``.
    effort : Effort

    Returns
    -------
    ndarray of int, shape (n,), or None
        None where no segments can be formed.
    """
    name, k = way
    clean = np.ascontiguousarray(matrix[core])
    # Most often the first few show enough different ones.
    if all(len(np.unique(rows, axis=0)) <= k for rows in (clean[:1_000], clean)):
        return None
    algorithms = competing(matrix, blocks)
    # Without its categories before the split, k-prototypes is k-means.
    fit = fit_customers(clean, algorithms.get(name, algorithms["kmeans"]), k, study, effort)
    return fit.assign(matrix).astype(np.intp) if fit else None


def group_by_rfm(frame: pd.DataFrame, numbers: Sequence[int] = ()) -> list[Grouping]:
    """Group customers by the 25 cells of recency by frequency, by their ten names, and into as many bands as asked.

    Parameters
    ----------
    frame : DataFrame, shape (n, ...)
        With ``recency_days``, ``frequency`` and ``spend``.
    numbers : sequence of int, optional
        Numbers of groups; bands are of equal size and of the mean rank in recency and frequency.
    """
    scores = rfm_scores(frame)
    cells = ((scores["R"] - 1) * 5 + scores["F"] - 1).fillna(25).to_numpy(np.intp)
    names = np.unique(rfm_cells(frame).fillna(NO_PURCHASE), return_inverse=True)[1]
    found = [Grouping("rfm", "RFM cells", cells), Grouping("rfm_groups", "RFM groups", names)]
    ranks = frame["frequency"].rank(pct=True) - frame["recency_days"].rank(pct=True)
    return found + [Grouping(f"rfm_{n}", f"RFM rank in {n} bands", cut_into_bands(ranks, n)) for n in numbers]


def cut_into_bands(values: pd.Series, n_bands: int) -> NDArray[np.intp]:
    """Cut customers into bands of equal size, 1 to ``n_bands``; those without a value are in the lowest.

    >>> cut_into_bands(pd.Series([5.0, 1.0, float("nan"), 9.0, 7.0]), 2).tolist()
    [1, 1, 1, 2, 2]
    """
    ranks = values.rank(method="average", pct=True)
    return np.maximum(np.ceil(ranks.fillna(0.0).to_numpy() * n_bands), 1).astype(np.intp)


def group_simply(table: FeatureTable, study: Study, numbers: Sequence[int] = ()) -> list[Grouping]:
    """Group customers by RFM cells and by fifths of the value, as far as the settings name what they are made of.

    Parameters
    ----------
    table : FeatureTable
    study : Study
    numbers : sequence of int, optional
        Further numbers of groups to cut both into.
    """
    frame, found = table.frame, []
    known_numbers = {v.name for v in table.variables if not v.categorical}
    recency = study.proof.recency or "recency_days"
    frequency = study.proof.frequency or "frequency"
    if {recency, frequency} <= known_numbers:
        known = frame[recency].where(frame[frequency].notna())
        made = pd.DataFrame({"recency_days": known, "frequency": frame[frequency], "spend": 0.0})
        found += group_by_rfm(made, numbers)
    if study.value in known_numbers:
        worth = frame[study.value]
        made = pd.DataFrame({"recency_days": worth.where(worth.isna(), 0.0), "frequency": 0.0, "spend": worth})
        label = next(v.label for v in table.variables if v.name == study.value)
        fifths = rfm_scores(made)["M"].fillna(0).to_numpy(np.intp)
        found.append(Grouping("fifths", f"Fifths of {in_sentence(label)}", fifths))
        bands = [(n, cut_into_bands(worth, n)) for n in numbers if n != FIFTHS]
        found += [Grouping(f"value_{n}", f"{label} in {n} bands", codes) for n, codes in bands]
    return found


def name_equals(n_groups: int) -> tuple[str, str, str]:
    """Name the groupings by RFM, by the value and by a tree that have this number of groups."""
    value = "fifths" if n_groups == FIFTHS else f"value_{n_groups}"
    return f"rfm_{n_groups}", value, "tree" if n_groups == LEAVES else f"tree_{n_groups}"


def split_at_random(segments: Grouping) -> Grouping:
    """Return groups of the segments' sizes that are drawn by lot for each halving."""
    return Grouping("random", "Random split", segments.codes)


def grow_trees(features: Floats, numbers: Sequence[int] = ()) -> list[Grouping]:
    """Return the leaves of trees on these features, shape (n, p), that are grown on each half.

    One has :data:`analysis.clustering.holdout.LEAVES` leaves at most; ``numbers`` are those of further ones.
    """
    codes, found = np.zeros(len(features), np.intp), []
    for n in (LEAVES, *(n for n in numbers if n != LEAVES)) if features.shape[1] else ():
        name = "tree" if n == LEAVES else f"tree_{n}"
        found.append(Grouping(name, f"Tree of up to {n} leaves", codes, features=features, leaves=n))
    return found


def rank_expected(expected: Floats) -> Grouping:
    """Rank what the purchase model expects of each customer, shape (n,), into :data:`BINS` groups."""
    ranks = pd.Series(expected).rank(method="average", pct=True).to_numpy()
    codes = np.minimum((ranks * BINS).astype(np.intp), BINS - 1)
    return Grouping("model", "Purchase model", codes, expected)
