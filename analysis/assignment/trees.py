"""Trees of questions that place customers as the full rule does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.clustering.algorithms import Labels
from analysis.settings.models import Study

MOST_QUESTIONS, MOST_LEAVES = 4, 8
"""Most questions that a tree asks of one customer, and most ends of it, or twice the segments. Chosen for
this project."""
ENOUGH = 0.02
"""Fidelity by which a tree of fewer questions may fall behind the best. Chosen for this project."""
SMALLEST_LEAF = 0.01
"""Share of customers, beside ``min_cell`` of them, that each end of a tree holds."""
FOLDS = 5
THRESHOLD_DIGITS = 3
"""Significant digits of the tree's thresholds."""


@dataclass(frozen=True, slots=True)
class Part:
    """A share in whole hundredths; where those beside it are too few to tell, the least that it can be."""

    share: float
    at_least: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A question, ``feature <= threshold``, or where ``feature`` is empty an end.

    Attributes
    ----------
    feature : str
    threshold : float
        In the feature's unit, three significant digits.
    yes, no : int
        Places of the nodes that follow, in the tree's own order.
    segment : int
        Most of those who come here.
    share : float
        Of customers who come here, in whole hundredths.
    purity : Part
        Number of these customers that the full rule assigns to ``segment``.
    """

    feature: str
    threshold: float
    yes: int
    no: int
    segment: int
    share: float
    purity: Part


@dataclass(frozen=True, slots=True)
class Bound:
    """What a path asks of a feature: above ``low`` and at most ``high``; None leaves a side open."""

    feature: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Recognition:
    """How the tree does for one segment, cross-validated, and its broadest path to it.

    Attributes
    ----------
    id : int
    precision : float
        Share of the customers assigned by the tree that the full rule also assigns.
    recall : float
        Share of the customers assigned by the full rule that the tree also assigns.
    path : tuple of Bound
        Empty where no path leads there.
    purity, reach : Part
        Of the path's customers, those of the segment; and of the segment's, those on the path.
    """

    id: int
    precision: float
    recall: float
    path: tuple[Bound, ...]
    purity: Part
    reach: Part


@dataclass(frozen=True, slots=True)
class Tree:
    """Questions on features in their own units.

    Attributes
    ----------
    nodes : tuple of Node
        The first one is asked first.
    questions : int
        Most that one customer is asked.
    fidelity : float
        Share of customers placed as the full rule does, cross-validated with the thresholds as they are printed.
    segments : tuple of Recognition
    """

    nodes: tuple[Node, ...]
    questions: int
    fidelity: float
    segments: tuple[Recognition, ...]

    def assign(self, frame: pd.DataFrame) -> Labels:
        """Return the segment of each customer, shape (n,), from features without missing values."""
        return np.array([node.segment for node in self.nodes], dtype=np.int16)[self.ends(frame)]

    def ends(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Place of the node where each customer comes to, shape (n,), from features without missing values."""
        ends = np.zeros(len(frame), dtype=np.intp)
        todo: list[tuple[int, NDArray[np.intp]]] = [(0, np.arange(len(frame)))]
        while todo:
            place, rows = todo.pop()
            node = self.nodes[place]
            if not node.feature:
                ends[rows] = place
                continue
            yes = frame[node.feature].to_numpy(float)[rows] <= node.threshold
            todo += [(node.yes, rows[yes]), (node.no, rows[~yes])]
        return ends


def round_digits(x: float, digits: int) -> float:
    """Round to some significant digits."""
    return float(f"{x:.{digits}g}")


def find_tree(frame: pd.DataFrame, labels: Labels, study: Study) -> Tree:
    """The tree of fewest questions that does nearly as well as the best."""
    least = max(study.min_cell, int(np.ceil(SMALLEST_LEAF * len(frame))))
    trees: list[tuple[float, int, Labels]] = []
    for questions in range(1, MOST_QUESTIONS + 1):
        assigned = np.zeros_like(labels)
        for learn, test in split_folds(labels, study.seed):
            nodes = _grow(frame.iloc[learn], labels[learn], questions, least, study)
            assigned[test] = Tree(nodes, questions, 0.0, ()).assign(frame.iloc[test])
        trees.append((float((assigned == labels).mean()), questions, assigned))
    best = max(fidelity for fidelity, _, _ in trees)
    fidelity, questions, assigned = next(each for each in trees if each[0] >= best - ENOUGH)
    nodes = _grow(frame, labels, questions, least, study)
    paths = list(_paths(nodes))
    return Tree(
        nodes,
        max(len(path) for path, _ in paths),
        round_digits(fidelity, THRESHOLD_DIGITS),
        tuple(_recognise(j, nodes, frame, labels, assigned, study) for j in range(1, int(labels.max()) + 1)),
    )


def split_folds(labels: Labels, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield training and test rows; each row is tested once, and each fold contains all segments."""
    from sklearn.model_selection import StratifiedKFold

    folds = min(FOLDS, int(np.bincount(labels)[1:].min()))
    return StratifiedKFold(max(folds, 2), shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels)


def _grow(frame: pd.DataFrame, labels: Labels, questions: int, least: int, study: Study) -> tuple[Node, ...]:
    """Questions with rounded thresholds; none that leaves too few on a side, or the same segment on both."""
    from sklearn.tree import DecisionTreeClassifier

    most = max(MOST_LEAVES, 2 * int(labels.max()))
    model = DecisionTreeClassifier(
        max_depth=questions, max_leaf_nodes=most, min_samples_leaf=least, random_state=study.seed
    )
    values = frame.to_numpy(float)
    grown: Any = model.fit(values, labels).tree_
    whole = (values == np.round(values)).all(axis=0)
    nodes: list[Node] = []

    def add(place: int, rows: NDArray[np.intp]) -> int:
        own = labels[rows]
        segment = int(np.bincount(own).argmax())
        purity = _part(int((own == segment).sum()), len(own), study.min_cell)
        share = round(len(rows) / len(labels), 2)
        at = len(nodes)
        nodes.append(Node("", 0.0, 0, 0, segment, share, purity))
        column = int(grown.feature[place])
        if column < 0:
            return at
        cut = float(grown.threshold[place])
        threshold = round_digits(np.floor(cut) if whole[column] else cut, THRESHOLD_DIGITS)
        yes = values[rows, column] <= threshold
        if min(yes.sum(), (~yes).sum()) < least:
            return at
        left = add(int(grown.children_left[place]), rows[yes])
        right = add(int(grown.children_right[place]), rows[~yes])
        ends = not nodes[left].feature and not nodes[right].feature
        if ends and nodes[left].segment == nodes[right].segment:
            del nodes[at + 1 :]
            return at
        nodes[at] = replace(nodes[at], feature=str(frame.columns[column]), threshold=threshold, yes=left, no=right)
        return at

    add(0, np.arange(len(labels)))
    return tuple(nodes)


def _paths(nodes: tuple[Node, ...], place: int = 0) -> Iterator[tuple[tuple[tuple[str, float, bool], ...], Node]]:
    """Every end with the questions and answers that lead to it."""
    node = nodes[place]
    if not node.feature:
        yield (), node
        return
    for following, answer in ((node.yes, True), (node.no, False)):
        for path, end in _paths(nodes, following):
            yield ((node.feature, node.threshold, answer), *path), end


def _recognise(
    segment: int, nodes: tuple[Node, ...], frame: pd.DataFrame, labels: Labels, assigned: Labels, study: Study
) -> Recognition:
    inside, named = labels == segment, assigned == segment
    both = (inside & named).sum()
    precision, recall = (round(float(both / max(n, 1)), 2) for n in (named.sum(), inside.sum()))
    candidates: list[tuple[int, int, tuple[Bound, ...]]] = []
    for path, end in _paths(nodes):
        if end.segment != segment:
            continue
        on = np.ones(len(frame), dtype=bool)
        bounds: dict[str, Bound] = {}
        for feature, threshold, answer in path:
            low, high = (None, threshold) if answer else (threshold, None)
            old = bounds.get(feature, Bound(feature, None, None))
            # A later question on the same feature asks for more than an earlier one.
            bounds[feature] = Bound(feature, old.low if low is None else low, old.high if high is None else high)
            on &= (frame[feature].to_numpy(float) <= threshold) == answer
        candidates.append((int((on & inside).sum()), int(on.sum()), tuple(bounds.values())))
    if not candidates:
        return Recognition(segment, precision, recall, (), Part(0.0, False), Part(0.0, False))
    n_members, n, path = max(candidates, key=lambda each: each[0])
    purity, reach = _part(n_members, n, study.min_cell), _part(n_members, int(inside.sum()), study.min_cell)
    return Recognition(segment, precision, recall, path, purity, reach)


def _part(n_members: int, n: int, min_cell: int) -> Part:
    """A share; where fewer than ``min_cell`` are not part of it, a bound that does not count them out."""
    if n - n_members < min_cell:
        most = 0.5 if 2 * n_members > n else 0.0
        return Part(max(int(100 * (n - min_cell) / n) / 100, most), True)
    return Part(round(n_members / n, 2), False)
