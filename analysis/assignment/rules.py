"""Rules that assign new customers, by nearest centroid or by a few questions, with their accuracy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from analysis.base.expressions import Expression, parse
from analysis.base.sql import SqlColumn, UntranslatableError, quote_name, quote_text, to_sql
from analysis.clustering.algorithms import Fit, Labels, Matrix, sample_rows
from analysis.clustering.evidence import Evidence
from analysis.customers.assembly import Assembled
from analysis.customers.cleaning import Cleaned
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Prepared, Step, apply_steps, invert_steps
from analysis.settings.models import Study

MOST_QUESTIONS, MOST_LEAVES = 4, 8
"""Most questions that a tree asks of one customer, and most ends of it, or twice the segments. Ours."""
ENOUGH = 0.02
"""Fidelity by which a tree of fewer questions may fall behind the best. Ours."""
SMALLEST_LEAF = 0.01
"""Share of customers, beside ``min_cell`` of them, that each end of a tree holds."""
FOLDS = 5
ROWS = 20_000
"""Customers that trees are grown on, sampled above this many. Ours."""
DIGITS, THRESHOLD_DIGITS = 6, 3
"""Significant digits of the nearest-centre rule and of the tree's thresholds."""

Values = NDArray[np.float64]


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


@dataclass(frozen=True, slots=True)
class Centres:
    """The nearest of k centres, after each feature is made ready as the fit's were.

    Attributes
    ----------
    steps : tuple of Step, length p
    axes : tuple of p tuples of q numbers, optional
        What the steps' columns are projected on; None where they are not.
    centres : tuple of k tuples
        One a segment, by the columns that distances are taken in.
    typical : tuple of k tuples of p numbers
        The same in the features' units.
    exact : bool
        Whether the segments themselves are formed by this rule.
    fidelity : float
        Share of customers placed as the full rule does.
    """

    steps: tuple[Step, ...]
    axes: tuple[tuple[float, ...], ...] | None
    centres: tuple[tuple[float, ...], ...]
    typical: tuple[tuple[float, ...], ...]
    exact: bool
    fidelity: float


@dataclass(frozen=True, slots=True)
class Guess:
    """How often the segment is named rightly without the behaviour, cross-validated.

    ``largest`` is how often it is by always naming the largest segment; ``variables`` are what is asked, the most
    telling first.
    """

    accuracy: float
    largest: float
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules.

    Attributes
    ----------
    fills : dict of str to float
        What stands for a missing value, by feature.
    sql : dict of str to str
        Each feature over the customer table ``c``.
    key : str
        Column that names the customer; empty where none does.
    levels : tuple of Variable
        The yes/no questions that a category is asked as, one for each of its levels; none without categories.
    tree : Tree
    centres : Centres, optional
        None where the numbers of the rule are those of single customers: features scaled by their lowest and highest.
    without_behaviour : Guess, optional
        None where the data hold nothing but behaviour.
    """

    fills: dict[str, float]
    sql: dict[str, str]
    key: str
    levels: tuple[Variable, ...]
    tree: Tree
    centres: Centres | None
    without_behaviour: Guess | None


def find_rules(
    table: FeatureTable, prepared: Prepared, evidence: Evidence, study: Study, cleaned: Cleaned, whole: Assembled
) -> Rules:
    """Make rules that do what the full rule does, and measure how far they do.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    prepared : Prepared
    evidence : Evidence
        Whose ``labels``, 1..k and 0 = unassigned, the rules are to give; the unassigned take no part.
    study : Study
    cleaned : Cleaned
    whole : Assembled
        Says which columns the features are made of.
    """
    formed = prepared
    table, prepared = _ask_levels(table, prepared)
    fills = {step.name: _rounded(step.fill, DIGITS) for step in prepared.steps}
    known = table.frame[list(fills)].fillna(fills)
    placed = np.flatnonzero(evidence.labels > 0)
    rows = placed[sample_rows(len(placed), ROWS, study.seed)]
    labels = evidence.labels[rows]
    return Rules(
        fills=fills,
        sql={v.name: _write_sql(v, cleaned, whole) for v in prepared.variables},
        key=whole.source.key or "",
        levels=tuple(v for v in prepared.variables if v not in formed.variables),
        tree=_find_tree(known.iloc[rows], labels, study),
        centres=_find_centres(table.frame, prepared, evidence, study),
        without_behaviour=_guess(table, prepared, rows, labels, study),
    )


def _ask_levels(table: FeatureTable, prepared: Prepared) -> tuple[FeatureTable, Prepared]:
    """The same with a yes/no variable for each level of a category that forms segments, as its column is."""
    columns: dict[str, pd.Series] = {}
    variables: list[Variable] = []
    steps: list[Step] = []
    for variable, step in zip(prepared.variables, prepared.steps, strict=True):
        if not step.levels:
            variables.append(variable)
            steps.append(step)
        for level in step.levels:
            name = f"{variable.name} = {level}"
            columns[name] = (table.frame[variable.name] == level).astype(float)
            variables.append(
                replace(variable, name=name, label=f"{variable.label}: {level}", unit="yes_no", formula=level,
                        categorical=False)
            )  # fmt: skip
            steps.append(replace(step, name=name, levels=(), imputed=0))
    frame = table.frame.assign(**columns)
    return replace(table, frame=frame), replace(prepared, variables=tuple(variables), steps=tuple(steps))


def _find_centres(frame: pd.DataFrame, prepared: Prepared, evidence: Evidence, study: Study) -> Centres | None:
    ranged = [v for v in prepared.variables if v.unit != "yes_no"]
    if study.scaling == "minmax" and ranged:
        return None
    fit = evidence.fit
    steps = tuple(map(round_step, prepared.steps))
    matrix = apply_steps(frame, steps)
    axes = None if prepared.axes is None else _rows(prepared.axes)
    centres = _rows(fit.centres)
    if axes is None:
        typical = np.array(centres)
    else:
        typical = np.vstack([matrix[evidence.labels == j + 1].mean(axis=0) for j in range(fit.k)])
    placed = evidence.labels > 0
    same = _place_nearest(matrix, axes, centres)[placed] == evidence.labels[placed]
    return Centres(
        steps,
        axes,
        centres,
        _rows(invert_steps(typical, steps)),
        fit.points is None and fit.shapes is None,
        float(same.mean()),
    )


def _place_nearest(matrix: Matrix, axes: tuple[tuple[float, ...], ...] | None, centres: object) -> Labels:
    return Fit(np.array(centres)).assign(matrix if axes is None else matrix @ np.array(axes))


def round_step(step: Step) -> Step:
    """Return the numbers of a step, rounded as published."""
    numbers = {name: _rounded(value, DIGITS) for name, value in asdict(step).items() if isinstance(value, float)}
    reach = step.limits and (_rounded(step.limits[0], DIGITS), _rounded(step.limits[1], DIGITS))
    return replace(step, **numbers, limits=reach)


def _rows(matrix: Matrix) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(_rounded(float(x), DIGITS) for x in row) for row in matrix)


def _rounded(x: float, digits: int) -> float:
    return float(f"{x:.{digits}g}")


def _find_tree(frame: pd.DataFrame, labels: Labels, study: Study) -> Tree:
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
        _rounded(fidelity, THRESHOLD_DIGITS),
        tuple(_recognise(j, nodes, frame, labels, assigned, study) for j in range(1, int(labels.max()) + 1)),
    )


def split_folds(labels: Labels, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield training and test rows; each row is tested once, and each fold contains all segments."""
    folds = min(FOLDS, int(np.bincount(labels)[1:].min()))
    return StratifiedKFold(max(folds, 2), shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels)


def _grow(frame: pd.DataFrame, labels: Labels, questions: int, least: int, study: Study) -> tuple[Node, ...]:
    """Questions with rounded thresholds; none that leaves too few on a side, or the same segment on both."""
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
        threshold = _rounded(np.floor(cut) if whole[column] else cut, THRESHOLD_DIGITS)
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


def _guess(
    table: FeatureTable, prepared: Prepared, rows: NDArray[np.intp], labels: Labels, study: Study
) -> Guess | None:
    """What descriptors tell that were no candidates for features, and are not made of the same columns as those are."""
    behaviour = {column for variable in prepared.variables for column in variable.columns}
    left_out = {dropped.name for dropped in prepared.dropped}
    descriptors = [v for v in table.of("descriptor") if v.name not in left_out and not behaviour & set(v.columns)]
    if not descriptors or len(np.unique(labels)) < 2:
        return None
    parts: list[Values] = []
    names: list[str] = []
    for variable in descriptors:
        values = table.frame[variable.name].iloc[rows]
        if variable.categorical:
            levels = values.value_counts()
            shown_levels = sorted(levels.index[levels >= study.min_cell])
            parts += [(values == level).to_numpy(float) for level in shown_levels]
        else:
            parts.append(values.fillna(values.median() if values.notna().any() else 0.0).to_numpy(float))
        names += [variable.name] * (len(parts) - len(names))
    if not parts:
        return None
    values = np.column_stack(parts)
    least = max(study.min_cell, int(np.ceil(SMALLEST_LEAF * len(labels))))
    right = np.zeros(len(labels), dtype=bool)
    model = DecisionTreeClassifier(max_depth=MOST_QUESTIONS, min_samples_leaf=least, random_state=study.seed)
    for learn, test in split_folds(labels, study.seed):
        right[test] = model.fit(values[learn], labels[learn]).predict(values[test]) == labels[test]
    telling = pd.Series(model.fit(values, labels).feature_importances_).groupby(names).sum()
    asked = telling[telling > 0].sort_values(ascending=False, kind="stable")
    largest = float(np.bincount(labels).max() / len(labels))
    return Guess(round(float(right.mean()), 2), round(largest, 2), tuple(map(str, asked.index)))


def _write_sql(variable: Variable, cleaned: Cleaned, whole: Assembled) -> str:
    """A feature over the customer table; under its own name where SQL has no equal for its formula."""
    expected = f"CAST(c.{quote_name(variable.name)} AS DOUBLE PRECISION)"
    if variable.name in whole.described:
        # Who bought nothing has no row to count: the study counts none, too.
        return f"COALESCE({expected}, 0)" if variable.unit in {"money", "count"} else expected
    source = whole.source
    if variable.columns != (variable.name,) and variable.name.startswith(f"{variable.columns[0]} = "):
        column, level = variable.columns[0], variable.formula
        merged = [old for old, new in source.merge.get(column, {}).items() if new == level]
        spellings = ", ".join(quote_text(text) for text in (level, *merged))
        return f"CASE WHEN c.{quote_name(column)} IN ({spellings}) THEN 1 ELSE 0 END"
    types = {c.name: c.type for c in whole.raw.columns if c.name not in whole.described}
    types |= {c.name: "number" for c in whole.raw.columns if types.get(c.name) == "key"}
    for column in variable.columns:
        values = cleaned.frame[column] if column in cleaned.frame.columns else pd.Series()
        if types.get(column) == "date" and not (values.dropna() == values.dropna().dt.normalize()).all():
            types[column] = "time of day"
    columns = {
        name: SqlColumn(kind, source.merge.get(name, {}), source.plausible.get(name, (None, None)))
        for name, kind in types.items()
    }
    taken = variable.columns == (variable.name,)
    try:
        formula = Expression("", variable.columns, ast.Name(variable.name)) if taken else parse(variable.formula)
        return to_sql(formula, columns, cleaned.as_of)
    except UntranslatableError:
        return expected
