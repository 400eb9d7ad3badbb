"""Search for the fewest questions that assign customers nearly as well as all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.assignment.model import Model
from analysis.assignment.rounding import DIGITS, Rounded, round_means
from analysis.assignment.rules import Rules
from analysis.assignment.trees import split_folds
from analysis.base.disclosure import Disclosure
from analysis.clustering.algorithms import Labels, Matrix, sample_rows, segment_means
from analysis.clustering.evidence import Evidence
from analysis.customers.cleaning import Cleaned
from analysis.features.build import FeatureTable
from analysis.features.prepare import Prepared, apply_steps
from analysis.settings.models import Study

KEPT = 0.9
"""Share of the full rule's accuracy that the short questions keep. Chosen for this project."""
FOUND = 0.5
"""Share of each segment that they find: naming a large one alone can be right for most. Chosen for this project."""
ROWS = 5_000
"""Customers that questions are chosen on, sampled above this many. Chosen for this project."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Questions:
    """What to ask where all features are too many.

    Attributes
    ----------
    by : str
        How the answers place: by the nearest centre in them alone, or by the questions of the tree.
    asked : tuple of str
        Features, the most telling first; a category is one question.
    enough : bool
        Whether they keep :data:`KEPT` of the full rule's accuracy and find :data:`FOUND` of each segment.
    points : tuple of k tuples, one number for each step of the centres
        The centres in the steps' columns, for ``by = "centres"``.
    seconds : tuple of int
        For ``by = "tree"``, at each of its nodes the segment that comes next after the node's own; 0 where those who
        are not of the node's are too few to tell.
    accuracy : float
        Share of customers placed as they are in the study, cross-validated.
    full : float
        The same for the nearest centre by all features; 1, the full rule's own, where none is published.
    precision : tuple of float, length k
        Of those named so, the share rightly, cross-validated, in whole hundredths.
    codes : dict of str to tuple of str
        What the numbers 0, 1, 2, … of a feature stand for that was text; empty for a level of too few customers.
    """

    by: Literal["centres", "tree"]
    asked: tuple[str, ...]
    enough: bool
    points: tuple[tuple[float, ...], ...]
    seconds: tuple[int, ...]
    accuracy: float
    full: float
    precision: tuple[float, ...]
    codes: dict[str, tuple[str, ...]]


def find_questions(
    table: FeatureTable, rounded: Rounded, evidence: Evidence, rules: Rules, study: Study, cleaned: Cleaned,
    model: Model,
) -> Questions | None:  # fmt: skip
    """Choose the fewest questions that are enough: of the tree, or features for the nearest centre in them alone.

    Features are added one at a time, each time the one with which most customers are placed as in the study. How many
    are enough is measured on customers outside the training set.

    Returns
    -------
    Questions or None
        None where there is one segment. Where no few questions are enough, all features, or where no centres are
        published, those of the tree.
    """
    if evidence.fit.k < 2:
        return None
    codes = {
        name: tuple(level if n >= study.min_cell else "" for level, n in _count(cleaned.frame[name], levels))
        for name, levels in model.codes.items()
    }
    rows = np.flatnonzero(evidence.labels > 0)
    rows = rows[sample_rows(len(rows), ROWS, study.seed)]
    frame, labels = table.frame.iloc[rows], evidence.labels[rows]
    by_tree = _ask_tree(frame, labels, rules, study, codes)
    if rules.centres is None:
        return by_tree
    by_centres = _ask_nearest(frame, labels, rounded.prepared, rules, study, codes)
    order = [(not each.enough, len(each.asked), -each.accuracy) for each in (by_tree, by_centres)]
    return by_tree if by_tree.asked and order[0] < order[1] else by_centres


def _ask_tree(
    frame: pd.DataFrame, labels: Labels, rules: Rules, study: Study, codes: dict[str, tuple[str, ...]]
) -> Questions:
    tree = rules.tree
    categories = {level.name: level.name.removesuffix(f" = {level.formula}") for level in rules.levels}
    columns = {level.name: (frame[categories[level.name]] == level.formula).astype(float) for level in rules.levels}
    known = frame.assign(**columns)[list(rules.fills)].fillna(rules.fills)
    ends, seconds = tree.ends(known), []
    for place, node in enumerate(tree.nodes):
        others = np.bincount(labels[ends == place], minlength=1)
        others[min(node.segment, len(others) - 1)] = 0
        has_second = not node.feature and others.max() >= study.min_cell
        seconds.append(int(others.argmax()) if has_second else 0)
    asked = dict.fromkeys(categories.get(node.feature, node.feature) for node in tree.nodes if node.feature)
    full = 1.0 if rules.centres is None else rules.centres.fidelity
    recall = min(each.recall for each in tree.segments)
    return Questions(
        "tree", tuple(asked), tree.fidelity >= KEPT * full and recall >= FOUND, (), tuple(seconds), tree.fidelity, full,
        tuple(each.precision for each in tree.segments), codes,
    )  # fmt: skip


def _ask_nearest(
    frame: pd.DataFrame, labels: Labels, prepared: Prepared, rules: Rules, study: Study,
    codes: dict[str, tuple[str, ...]],
) -> Questions:  # fmt: skip
    assert rules.centres is not None
    full, k = rules.centres.fidelity, int(labels.max())
    matrix = apply_steps(frame, prepared.steps)
    given = np.array(rules.centres.centres) if rules.centres.axes is None else None
    ends = np.cumsum([max(len(step.levels), 1) for step in prepared.steps])
    spans = [slice(int(a), int(b)) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    assigned = np.zeros((len(spans), len(matrix)), dtype=np.int16)
    for learn, test in split_folds(labels, study.seed):
        points = segment_means(matrix[learn], labels[learn], int(labels[learn].max())) if given is None else given
        order = _choose(matrix[learn], labels[learn], points, spans)
        assigned[:, test] = _place(matrix[test], points, [spans[q] for q in order])
    right = (assigned == labels).mean(axis=1)
    recall = np.min([(assigned[:, labels == j] == j).mean(axis=1) for j in range(1, k + 1)], axis=0)
    enough = np.flatnonzero((right >= KEPT * full) & (recall >= FOUND))
    last = int(enough[0]) if len(enough) else len(spans) - 1
    limits = Disclosure.of(study)
    points = round_means(segment_means(matrix, labels, k), matrix, labels, limits) if given is None else given
    order = _choose(matrix, labels, points, spans)[: last + 1]
    return Questions(
        "centres",
        tuple(prepared.steps[q].name for q in order),
        bool(len(enough)),
        tuple(tuple(float(f"{x:.{DIGITS}g}") for x in row) for row in points),
        (),
        float(right[last]),
        full,
        tuple(_share(labels[assigned[last] == j] == j) for j in range(1, k + 1)),
        codes,
    )


def _choose(matrix: Matrix, labels: Labels, points: Matrix, spans: Sequence[slice]) -> list[int]:
    """Order the questions by their benefit. O(q^2 n k) for q of them."""
    away = np.zeros((len(matrix), len(points)))
    left, order = list(range(len(spans))), []
    parts = [_squares(matrix, points, span) for span in spans]
    while left:
        # Of several as good the one first in the study: the order must not hang on rounding.
        right = [int(((away + parts[q]).argmin(axis=1) + 1 == labels).sum()) for q in left]
        best = left.pop(int(np.argmax(right)))
        away = away + parts[best]
        order.append(best)
    return order


def _place(matrix: Matrix, points: Matrix, spans: Sequence[slice]) -> Labels:
    """Segment by the first one, two, … of the questions, shape (q, n)."""
    away = np.zeros((len(matrix), len(points)))
    assigned = np.zeros((len(spans), len(matrix)), dtype=np.int16)
    for i, span in enumerate(spans):
        away += _squares(matrix, points, span)
        assigned[i] = away.argmin(axis=1) + 1
    return assigned


def _squares(matrix: Matrix, points: Matrix, span: slice) -> Values:
    return ((matrix[:, None, span] - points[None, :, span]) ** 2).sum(axis=2)


def _share(yes: NDArray[np.bool_]) -> float:
    return round(float(yes.mean()), 2) if len(yes) else 0.0


def _count(values: pd.Series, levels: Sequence[str]) -> list[tuple[str, int]]:
    counts = values.astype("str").value_counts()
    return [(level, int(counts.get(level, 0))) for level in levels]
