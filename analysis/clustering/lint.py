"""Checks of the whole recipe for common mistakes in customer segmentation."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.base.disclosure import Disclosure
from analysis.base.formats import Formats, joined, number, percentage, significant
from analysis.clustering.evidence import Evidence
from analysis.customers.cleaning import Cleaned
from analysis.customers.surveys import Battery
from analysis.features.build import FeatureTable
from analysis.features.prepare import Prepared
from analysis.features.select import NEAR_COPY, spearman
from analysis.settings.models import Study
from analysis.sources.tables import RawTable

PER_FEATURE = 100
"""Customers that a feature should have (Dolnicar, Grün and Leisch 2018)."""
SCALES_APART = 10
"""Ratio of the largest to the smallest spread from which unscaled features count as a mixture. Chosen for
this project."""

MANY_LINED, MANY_YEAS = 0.05, 0.1
"""Shares of straight-lining and of yea-saying respondents from which they are a finding. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes
    ----------
    rule : str
        Short name, stable.
    severity : {"serious", "caution", "note"}
        Whether it can turn results around, distort them, or is for the reader to know.
    title, why, done : str
        What was found, why it matters, what was done.
    columns : tuple of str
        Labels of what it is about.
    """

    rule: str
    severity: Literal["serious", "caution", "note"]
    title: str
    why: str
    done: str
    columns: tuple[str, ...] = ()


def lint(
    study: Study,
    raw: RawTable,
    cleaned: Cleaned,
    table: FeatureTable,
    prepared: Prepared,
    evidence: Evidence,
    batteries: Sequence[Battery] = (),
) -> tuple[Finding, ...]:
    """Look over the recipe, serious findings first.

    Parameters
    ----------
    study, raw, cleaned, table, prepared, evidence, batteries
        The settings and the results of the stages so far.
    """
    found = [
        *_dates(study, raw),
        *_years(study, cleaned),
        *_duplicates(study, cleaned),
        *_sums(study, table, prepared),
        *_copies(study, table, prepared),
        *_codes(study, raw),
        *_scales(study, table, prepared),
        *_borrowed_k(study, evidence),
        *_reduced(study, prepared),
        *_thin(table, prepared),
        *_constants(study, cleaned, prepared),
        *(finding for battery in batteries for finding in _styles(study, battery)),
    ]
    return tuple(sorted(found, key=lambda finding: ("serious", "caution", "note").index(finding.severity)))


def _dates(study: Study, raw: RawTable) -> list[Finding]:
    wanted = study.sources[0].dates
    order = {"month-first": "day first", "day-first": "month first"}.get(wanted, "")
    against = [c.name for c in raw.columns if order and c.type == "date" and c.note.startswith(order)]
    if not against:
        return []
    return [
        Finding(
            "date-order",
            "serious",
            f"Dates are {order}, the settings say {wanted.replace('-', ' ')}",
            "Read in the wrong order, days and months swap places and every tenure is off.",
            f"Read as the whole column shows: {order}.",
            _labels(study, against),
        )
    ]


def _years(study: Study, cleaned: Cleaned) -> list[Finding]:
    """Formulas that count from a year which is not the study's."""
    if cleaned.as_of is None:
        return []
    found = []
    for feature in study.features.values():
        numbers = {n.value for n in ast.walk(ast.parse(feature.formula, mode="eval")) if isinstance(n, ast.Constant)}
        years = {n for n in numbers if isinstance(n, int) and 1990 <= n <= 2100 and n != cleaned.as_of.year}
        if years and feature.unit in {"years", "number", "days"}:
            year = min(years)
            found.append(
                Finding(
                    "age-at-today",
                    "caution",
                    f"{feature.label} is counted from {year}, the data end in {cleaned.as_of.year}",
                    "A customer's age or tenure belongs to the date of the data, not to the day of the analysis.",
                    "Computed as the settings say; write year(as_of) instead.",
                    (feature.label,),
                )
            )
    return found


def _duplicates(study: Study, cleaned: Cleaned) -> list[Finding]:
    if not cleaned.duplicates:
        return []
    rules = Disclosure.of(study)
    rows = Formats(min_cell=study.min_cell).people(rules.count(cleaned.duplicates))
    return [
        Finding(
            "duplicates-without-key",
            "caution",
            f"{rows} rows repeat an earlier one once the key is ignored",
            "If they are copies, their customers count twice; a check with the key in place cannot see it.",
            "Reported and kept: the file cannot tell copies from customers who look alike.",
        )
    ]


def _sums(study: Study, table: FeatureTable, prepared: Prepared) -> list[Finding]:
    """Features that are sums of other features."""
    forming = {variable.name for variable in prepared.variables}
    found = []
    for name, feature in study.features.items():
        parts = [column for column in _summands(feature.formula) if column in forming]
        if name in forming and len(parts) >= 2:
            labels = [v.label for v in table.variables if v.name in parts]
            found.append(
                Finding(
                    "sum-beside-parts",
                    "caution",
                    f"{feature.label} forms segments beside the parts it is the sum of",
                    "What is counted twice weighs twice: the segments follow that one theme.",
                    "Kept as the settings say; take out the sum or the parts.",
                    (feature.label, *labels),
                )
            )
    return found


def _copies(study: Study, table: FeatureTable, prepared: Prepared) -> list[Finding]:
    copies = {d.name for d in prepared.dropped if d.kind == "copy"}
    looked_at = [*prepared.variables, *(variable for variable in table.variables if variable.name in copies)]
    numbers = [variable for variable in looked_at if not variable.categorical]
    rho = np.abs(spearman(table.frame[[variable.name for variable in numbers]])[0]) if numbers else np.eye(0)
    pairs = [(a, b) for i, a in enumerate(numbers) for j, b in enumerate(numbers) if j > i and rho[i, j] >= NEAR_COPY]
    if not pairs:
        return []
    shown = joined([f"{a.label} with {b.label}" for a, b in pairs[:3]])
    count = "One pair of features says" if len(pairs) == 1 else f"{len(pairs)} pairs of features say"
    done = {
        "keep": "Kept as the settings say; near_copies: drop keeps one of each, weigh lets them share one weight.",
        "weigh": "Kept as the settings say; those of a group share one weight.",
        "drop": "One of each group forms segments; the Methodology page says which and why.",
    }
    return [
        Finding(
            "near-copies",
            "caution" if study.near_copies == "keep" else "note",
            f"{count} nearly the same: {shown}",
            f"A Spearman correlation of {significant(NEAR_COPY)} or more; the theme they share would weigh twice.",
            done[study.near_copies],
            tuple(dict.fromkeys(v.label for pair in pairs for v in pair)),
        )
    ]


def _codes(study: Study, raw: RawTable) -> list[Finding]:
    if study.encode != "label":
        return []
    text = [c for c in study.sources[0].roles.feature if not pd.api.types.is_numeric_dtype(raw.frame[c])]
    if not text:
        return []
    return [
        Finding(
            "label-encoded",
            "serious",
            f"{joined(list(_labels(study, text)))} took part as alphabetical numbers",
            "Levels in the order of the alphabet have no distance; the algorithm believes that they have.",
            'Done as the settings say; use a yes or no feature such as is_in(column, "level") instead.',
            _labels(study, text),
        )
    ]


def _scales(study: Study, table: FeatureTable, prepared: Prepared) -> list[Finding]:
    if study.scaling != "none" or sum(not v.categorical for v in prepared.variables) < 2:
        return []
    spread = table.frame[[v.name for v in prepared.variables if not v.categorical]].std()
    if spread.max() < SCALES_APART * max(spread.min(), 1e-12):
        return []
    widest = prepared.variables[int(spread.to_numpy().argmax())].label
    return [
        Finding(
            "unscaled",
            "serious",
            f"Features are not scaled, and {widest} outweighs the others",
            "Distances are then ruled by whichever feature has the largest numbers.",
            "Done as the settings say; scaling: standard gives each the same weight.",
            (widest,),
        )
    ]


def _borrowed_k(study: Study, evidence: Evidence) -> list[Finding]:
    """A number of segments that was chosen for another algorithm than the published one."""
    decision, own = evidence.decision, evidence.chosen()
    lenders = [a.title for a in evidence.algorithms if a.name != decision.algorithm and a.k == decision.k]
    if study.segments == "elbow" and decision.algorithm != "kmeans":
        lender = "the elbow of k-means"
    elif decision.fixed and own.k != decision.k and lenders:
        lender = lenders[0]
    else:
        return []
    return [
        Finding(
            "borrowed-k",
            "serious",
            f"The {decision.k} segments were chosen by {lender}, the labels are of {decision.algorithm_title}",
            "A number that suits one algorithm need not repeat in another's labels.",
            f"Published as fixed; {decision.algorithm_title} on its own evidence would take {own.k}.",
        )
    ]


def _reduced(study: Study, prepared: Prepared) -> list[Finding]:
    if study.reduce is None or prepared.axes is None:
        return []
    return [
        Finding(
            "reduced-space",
            "serious",
            f"Segments were formed and judged in {prepared.axes.shape[1]} components, and are read in "
            f"{len(prepared.variables)} features",
            "Groups look further apart in a few components than in what was measured; a silhouette there flatters.",
            "Done as the settings say; the evidence is of the reduced space.",
        )
    ]


def _thin(table: FeatureTable, prepared: Prepared) -> list[Finding]:
    n, p = len(table.frame), len(prepared.variables)
    if n >= PER_FEATURE * p:
        return []
    return [
        Finding(
            "few-customers",
            "caution",
            f"{number(n)} customers for {p} features, {n // p} each",
            f"With fewer than {PER_FEATURE} customers a feature, segments follow chance more than the market.",
            "Nothing; use fewer features or wait for more customers.",
        )
    ]


def _constants(study: Study, cleaned: Cleaned, prepared: Prepared) -> list[Finding]:
    dropped = [d for d in prepared.dropped if d.kind == "constant"]
    columns = [c for c in cleaned.constants if c not in study.sources[0].roles.ignore]
    if not dropped and not columns:
        return []
    names = (*(d.name for d in dropped), *columns)
    return [
        Finding(
            "constants",
            "note",
            f"{joined(list(_labels(study, names)))} tell nobody apart",
            "A column with one value cannot form or describe a group.",
            "Left out.",
            _labels(study, names),
        )
    ]


def _styles(study: Study, battery: Battery) -> list[Finding]:
    """Styles of answering that many respondents of a survey have."""
    rules = Disclosure.of(study)
    centred = any(source.centred() for source in study.sources)
    found = []
    for share, most, rule, what, why in (
        (
            battery.straight_lining,
            MANY_LINED,
            "straight-lining",
            f"gave the same answer to all {len(battery.items)} items",
            "Haste puts them into one segment, whatever they think.",
        ),
        (
            battery.yea_saying,
            MANY_YEAS,
            "yea-saying",
            f"agreed with nearly all {len(battery.items)} items",
            "A habit of agreeing makes a segment that agrees with everything.",
        ),
    ):
        # A comparison with NaN, for batteries that have no such share, is false.
        if not share >= most or share * battery.n_answered < study.min_cell:
            continue
        done = "Reported and kept; response_style: centre takes each respondent's average from the answers."
        if centred:
            done = (
                "Each respondent's average was taken from the answers; those of whom nothing is left formed no segment."
            )
        title = f"{percentage(rules.share(share))} of {study.customers} {what}"
        found.append(Finding(rule, "caution", title, why, done, _labels(study, battery.items)))
    return found


def _summands(formula: str) -> list[str]:
    """Names of a plain sum of columns, else nothing."""
    names: list[str] = []

    def walk(node: ast.expr) -> bool:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return walk(node.left) and walk(node.right)
        if isinstance(node, ast.Name):
            names.append(node.id)
            return True
        return False

    return names if walk(ast.parse(formula, mode="eval").body) else []


def _labels(study: Study, columns: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    known = study.sources[0].labels | {name: feature.label for name, feature in study.features.items()}
    return tuple(known.get(column, column) for column in columns)
