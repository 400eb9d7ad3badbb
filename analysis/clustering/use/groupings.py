"""Ways to group customers that segments are compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.formats import in_sentence
from analysis.base.run import Effort
from analysis.clustering.algorithms import Matrix, competing
from analysis.clustering.holdout import LEAVES, Floats, Grouping
from analysis.clustering.resample import fit_solutions
from analysis.customers.rfm import NO_PURCHASE, rfm_cells, rfm_scores
from analysis.features.build import FeatureTable
from analysis.features.prepare import Blocks
from analysis.settings.models import Study

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
    if len(np.unique(clean, axis=0)) <= k:
        return None
    algorithms = competing(matrix, blocks)
    # Without its categories before the split, k-prototypes is k-means.
    fits = fit_solutions(clean, algorithms.get(name, algorithms["kmeans"]), (k,), study.seed, study.starts, effort)
    return fits[0].assign(matrix).astype(np.intp) if fits else None


def group_by_rfm(frame: pd.DataFrame) -> list[Grouping]:
    """Group customers by the 25 cells of recency by frequency, and their ten names."""
    scores = rfm_scores(frame)
    cells = ((scores["R"] - 1) * 5 + scores["F"] - 1).fillna(25).to_numpy(np.intp)
    names = np.unique(rfm_cells(frame).fillna(NO_PURCHASE), return_inverse=True)[1]
    return [Grouping("rfm", "RFM cells", cells), Grouping("rfm_groups", "RFM groups", names)]


def group_simply(table: FeatureTable, study: Study) -> list[Grouping]:
    """Group customers by RFM cells and by fifths of the value, as far as the settings name what they are made of."""
    frame, found = table.frame, []
    numbers = {v.name for v in table.variables if not v.categorical}
    recency = study.proof.recency or "recency_days"
    frequency = study.proof.frequency or "frequency"
    if {recency, frequency} <= numbers:
        known = frame[recency].where(frame[frequency].notna())
        found += group_by_rfm(pd.DataFrame({"recency_days": known, "frequency": frame[frequency], "spend": 0.0}))
    if study.value in numbers:
        worth = frame[study.value]
        made = pd.DataFrame({"recency_days": worth.where(worth.isna(), 0.0), "frequency": 0.0, "spend": worth})
        label = next(v.label for v in table.variables if v.name == study.value)
        fifths = rfm_scores(made)["M"].fillna(0).to_numpy(np.intp)
        found.append(Grouping("fifths", f"Fifths of {in_sentence(label)}", fifths))
    return found


def split_at_random(segments: Grouping) -> Grouping:
    """Return groups of the segments' sizes that are drawn by lot for each halving."""
    return Grouping("random", "Random split", segments.codes)


def grow_tree(features: Floats) -> Grouping:
    """Return the leaves of a tree on these features, shape (n, p), that is grown on each half."""
    return Grouping("tree", f"Tree of up to {LEAVES} leaves", np.zeros(len(features), np.intp), features=features)


def rank_expected(expected: Floats) -> Grouping:
    """Rank what the purchase model expects of each customer, shape (n,), into :data:`BINS` groups."""
    ranks = pd.Series(expected).rank(method="average", pct=True).to_numpy()
    codes = np.minimum((ranks * BINS).astype(np.intp), BINS - 1)
    return Grouping("model", "Purchase model", codes, expected)
