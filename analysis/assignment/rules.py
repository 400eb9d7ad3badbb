"""Rules that assign new customers, by nearest centroid or by a few questions, with their accuracy."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.assignment.model import is_text, list_levels
from analysis.assignment.rounding import DIGITS, Rounded, round_means
from analysis.assignment.trees import MOST_QUESTIONS, SMALLEST_LEAF, Tree, find_tree, round_digits, split_folds
from analysis.base.disclosure import Disclosure
from analysis.base.expressions import Expression, parse
from analysis.base.expressions.sql import SqlColumn, UntranslatableError, quote_name, quote_text, to_sql
from analysis.clustering.algorithms import Fit, Labels, Matrix, sample_rows, segment_means
from analysis.clustering.evidence import Evidence
from analysis.customers.assembly import Assembled
from analysis.customers.cleaning import Cleaned
from analysis.features.build import FeatureTable, Variable
from analysis.features.prepare import Prepared, Step, apply_steps, invert_steps
from analysis.settings.models import Study
from analysis.settings.sources import Source

ROWS = 20_000
"""Customers that trees are grown on, sampled above this many. Chosen for this project."""

Values = NDArray[np.float64]


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
    table: FeatureTable, rounded: Rounded, evidence: Evidence, study: Study, cleaned: Cleaned, whole: Assembled
) -> Rules:
    """Make rules that do what the full rule does, and measure how far they do.

    Parameters
    ----------
    table : FeatureTable
        n customers.
    rounded : Rounded
    evidence : Evidence
        Whose ``labels``, 1..k and 0 = unassigned, the rules are to give; the unassigned take no part.
    study : Study
    cleaned : Cleaned
    whole : Assembled
        Says which columns the features are made of.
    """
    formed = rounded.prepared
    table, prepared = _ask_levels(table, formed)
    fills = {step.name: round_digits(step.fill, DIGITS) for step in prepared.steps}
    known = table.frame[list(fills)].fillna(fills)
    placed = np.flatnonzero(evidence.labels > 0)
    rows = placed[sample_rows(len(placed), ROWS, study.seed)]
    labels = evidence.labels[rows]
    return Rules(
        fills=fills,
        sql={v.name: write_sql(v, cleaned, whole) for v in prepared.variables},
        key=whole.source.key or "",
        levels=tuple(v for v in prepared.variables if v not in formed.variables),
        tree=find_tree(known.iloc[rows], labels, study),
        centres=_find_centres(table.frame, prepared, rounded.centres, evidence, study),
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


def _find_centres(
    frame: pd.DataFrame, prepared: Prepared, centres: Matrix, evidence: Evidence, study: Study
) -> Centres | None:
    ranged = [v for v in prepared.variables if v.unit != "yes_no"]
    if study.scaling == "minmax" and ranged:
        return None
    fit = evidence.fit
    steps, typical = prepared.steps, centres
    if prepared.axes is not None or fit.classes is not None:
        matrix = apply_steps(frame, steps)
        means = segment_means(matrix, evidence.labels, fit.k)
        typical = round_means(means, matrix, evidence.labels, Disclosure.of(study))
    placed = evidence.labels > 0
    same = Fit(centres).assign(prepared.matrix)[placed] == evidence.labels[placed]
    return Centres(
        steps,
        None if prepared.axes is None else _rows(prepared.axes),
        _rows(centres),
        _rows(invert_steps(typical, steps)),
        fit.points is None and fit.shapes is None,
        float(same.mean()),
    )


def _rows(matrix: Matrix) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round_digits(float(x), DIGITS) for x in row) for row in matrix)


def _guess(
    table: FeatureTable, prepared: Prepared, rows: NDArray[np.intp], labels: Labels, study: Study
) -> Guess | None:
    """What descriptors tell that were no candidates for features, and are not made of the same columns as those are."""
    from sklearn.tree import DecisionTreeClassifier

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


def _write_centred(variable: Variable, columns: dict[str, SqlColumn]) -> str:
    """An answer less the average of the answers to the items that are known."""
    own, *others = (to_sql(Expression("", (item,), ast.Name(item)), columns, None) for item in variable.columns)
    total = " + ".join(f"COALESCE({item}, 0)" for item in (own, *others))
    known = " + ".join(f"CASE WHEN {item} IS NULL THEN 0 ELSE 1 END" for item in (own, *others))
    return f"({own} - ({total}) / NULLIF({known}, 0))"


def write_sql(variable: Variable, cleaned: Cleaned, whole: Assembled) -> str:
    """Write a feature over the customer table; under its own name where SQL has no equal for its formula."""
    expected = f"CAST(c.{quote_name(variable.name)} AS DOUBLE PRECISION)"
    if variable.name in whole.described:
        # Who bought nothing has no row to count: the study counts none, too.
        return f"COALESCE({expected}, 0)" if whole.described[variable.name].additive else expected
    source = whole.source
    level = variable.formula
    if (column := variable.name.removesuffix(f" = {level}")) != variable.name:
        return f"CASE WHEN c.{quote_name(column)} IN ({_spell(level, column, source)}) THEN 1 ELSE 0 END"
    taken = variable.columns == (variable.name,)
    if taken and is_text(cleaned.frame[variable.name]):
        # Under encode: label, a level is its number.
        place, levels = f"c.{quote_name(variable.name)}", list_levels(cleaned.frame[variable.name])
        cases = (f"WHEN {place} IN ({_spell(x, variable.name, source)}) THEN {float(i)}" for i, x in enumerate(levels))
        return f"CASE {' '.join(cases)} END"
    types: dict[str, str] = {c.name: c.type for c in whole.raw.columns if c.name not in whole.described}
    types |= {c.name: "number" for c in whole.raw.columns if types.get(c.name) == "key"}
    for column in variable.columns:
        values = cleaned.frame[column] if column in cleaned.frame.columns else pd.Series()
        if types.get(column) == "date" and not (values.dropna() == values.dropna().dt.normalize()).all():
            types[column] = "time of day"
    columns = {
        name: SqlColumn(kind, source.merge.get(name, {}), source.plausible.get(name, (None, None)))
        for name, kind in types.items()
    }
    try:
        if variable.is_centred:
            return _write_centred(variable, columns)
        formula = Expression("", variable.columns, ast.Name(variable.name)) if taken else parse(variable.formula)
        return to_sql(formula, columns, cleaned.as_of)
    except UntranslatableError:
        return expected


def _spell(level: str, column: str, source: Source) -> str:
    """List the spellings of a level, quoted."""
    merged = (old for old, new in source.merge.get(column, {}).items() if new == level)
    return ", ".join(quote_text(text) for text in (level, *merged))
