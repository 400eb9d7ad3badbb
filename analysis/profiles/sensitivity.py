"""Variables whose figures tell more than they seem to: sensitive answers, and answers of which one includes another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import GROUP
from analysis.base.weights import FEWEST_EFFECTIVE, Weights
from analysis.clustering.algorithms import Labels
from analysis.features.build import Variable
from analysis.settings.models import Study
from analysis.sources.evidence.vocabularies import MOST_CODES, PROTECTED, SENSITIVE_ANSWERS, names_sensitive
from analysis.sources.names import words_of

FEWEST_ANSWERS = 2
"""Sensitive answers by which a category is one, whatever its name. Chosen for this project."""


def is_sensitive(variable: Variable, study: Study, answers: Iterable[object] = ()) -> bool:
    """Return whether it must not be published that a whole segment shares an answer.

    Parameters
    ----------
    variable : Variable
    study : Study
        ``card.protected`` names further ones.
    answers : iterable, optional
        Levels of a category, which may tell it where its name does not.
    """
    names = (variable.name, *variable.columns)
    if set(names) & set(study.card.protected or ()):
        return True
    told = frozenset().union(*(words_of(name) for name in (*names, variable.label)))
    if told & PROTECTED or names_sensitive(told):
        return True
    return sum(bool(SENSITIVE_ANSWERS & words_of(str(answer))) for answer in answers) >= FEWEST_ANSWERS


def share_an_answer(values: pd.Series, labels: Labels) -> bool:
    """Return whether nearly all of a segment have the same of a few numbers, as where answers are written as codes.

    Examples
    --------
    >>> share_an_answer(pd.Series([1.0, 2.0] * 10 + [3.0] * 20), np.repeat([1, 2], 20))
    True
    >>> share_an_answer(pd.Series([1.0, 2.0] * 20), np.repeat([1, 2], 20))
    False
    """
    known = values.notna().to_numpy() & (labels > 0)
    if not known.any() or values.nunique() > MOST_CODES:
        return False
    inside = pd.crosstab(values[known].to_numpy(), labels[known]).to_numpy()
    return bool((inside.max(axis=0) > (1 - GROUP) * inside.sum(axis=0)).any())


def find_hidden(
    frame: pd.DataFrame,
    numeric: list[Variable],
    labels: Labels,
    min_cell: int,
    sensitive: frozenset[str],
    weights: Weights = None,
) -> tuple[str, ...]:
    """List the variables whose figures would count a few customers, by themselves or beside another's.

    Sensitive codes that a whole segment shares are among them.

    Parameters
    ----------
    frame : DataFrame, shape (n, variables)
    numeric : list of Variable
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    min_cell : int
    sensitive : frozenset of str
        Names of variables with sensitive answers.
    weights : ndarray, shape (n,), optional
        Of a survey: few rows may hold most of the weight of a segment, or of an answer in it.
    """
    hidden = tuple(
        variable.name
        for variable in numeric
        if _few_known(frame[variable.name], labels, min_cell, weights)
        or (variable.unit == "yes_no" and _small_cell(frame[variable.name], labels, min_cell, weights))
        or (variable.unit != "yes_no" and variable.name in sensitive and share_an_answer(frame[variable.name], labels))
    )
    answers = [v.name for v in numeric if v.unit == "yes_no" and v.name not in hidden]
    return hidden + find_nested(frame[answers], labels, min_cell)


def _few_known(values: pd.Series, labels: Labels, min_cell: int, weights: Weights) -> bool:
    """Whether a segment's figures would stand for fewer customers than may be published, or for few heavy ones."""
    known = values.notna().to_numpy()
    inside = known & (labels > 0)
    if weights is not None and _few_effective(labels[inside], weights[inside]):
        return True
    counts = np.bincount(labels[known], minlength=int(labels.max()) + 1)
    return bool((counts[1:] < np.minimum(min_cell, np.bincount(labels)[1:])).any())


def _small_cell(values: pd.Series, labels: Labels, min_cell: int, weights: Weights) -> bool:
    known = values.notna().to_numpy()
    yes = values[known].to_numpy() > 0
    table = pd.crosstab(yes, labels[known])
    few = weights is not None and _few_effective(labels[known] * 2 + yes, weights[known])
    return few or bool(((table > 0) & (table < min_cell)).to_numpy().any())


def _few_effective(cells: NDArray[Any], weights: NDArray[np.float64]) -> bool:
    """Whether few rows hold most of the weight of a cell."""
    sums, squares = np.bincount(cells, weights), np.bincount(cells, weights**2)
    return bool((sums**2 < FEWEST_EFFECTIVE * squares).any())


def find_nested(frame: pd.DataFrame, labels: Labels, min_cell: int) -> tuple[str, ...]:
    """Find the yes/no variables that must be hidden because the shares of two differ by a few customers.

    Where everyone who says yes to one also says yes to the other, the difference of their shares counts those who say
    yes to the other alone. Of such a pair the later variable is hidden, if they are fewer than ``min_cell`` in a
    segment or over all.

    Parameters
    ----------
    frame : DataFrame, shape (n, variables)
        0 and 1; NaN where not known.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    min_cell : int

    Notes
    -----
    O(n variables²).

    Examples
    --------
    >>> answers = pd.DataFrame({"married": [1] * 50 + [0] * 50, "ever": [1] * 54 + [0] * 46})
    >>> find_nested(answers, np.ones(100, np.int16), 10)
    ('ever',)
    """
    names = list(frame.columns)
    if len(names) < 2:
        return ()
    values = frame.to_numpy(float)
    yes, no = (values > 0).astype(np.int64), (values == 0).astype(np.int64)
    hidden: list[str] = []
    for inside in (np.ones(len(labels), dtype=bool), *(labels == j for j in range(1, int(labels.max(initial=0)) + 1))):
        only = yes[inside].T @ no[inside]
        nested = (only == 0) & (only.T > 0) & (min_cell > only.T)
        for i, j in zip(*np.nonzero(nested | nested.T), strict=True):
            if i < j and names[i] not in hidden and names[j] not in hidden:
                hidden.append(names[j])
    return tuple(hidden)
