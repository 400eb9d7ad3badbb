"""Private results of a run: memberships, scoring model and table exports."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.assignment import model as placing
from analysis.assignment.model import Name
from analysis.assignment.scoring import name_segments, rate_confidence
from analysis.base.errors import InputError
from analysis.base.manifest import write_whole
from analysis.customers.cleaning import Cleaned
from analysis.customers.rfm import NAMES as RFM_NAMES
from analysis.report.analysis import Analysis
from analysis.report.model import Report, to_json
from analysis.report.private import Private, write_figure
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.tables import RawTable

NEARLY_ALL = 0.95
"""Share of rows with a value of their own from which the values of a column that is left out tell a customer."""
SEVERAL = 0.5
"""Share of customers with a number of their own from which the numbers of a column are looked for on the site."""
SPARSE = 0.1
"""Most of the possible numbers in the middle of a column that occur in it: of more, one is met by chance."""
MOST_FIGURES = 100_000
"""Numbers of a column that are looked for."""
MARKS = re.compile(r"<<|>>|\{\{|\}\}|<%|%>|\{%|%\}|:::")
"""Marks of templates, which a title or a level may hold too."""


def write_outputs(build: Path, report: Report, analysis: Analysis) -> list[Path]:
    """Write ``report.json``, ``memberships.parquet`` and ``model.json``; returns their paths."""
    cleaned, evidence, model = analysis.customers.cleaned, analysis.evidence, analysis.assignment.model
    build.mkdir(parents=True, exist_ok=True)
    files = [build / name for name in ("report.json", "memberships.parquet", "model.json")]
    write_whole(files[0], to_json(report).encode())
    segments = tuple(Name(s.letter, s.name, s.slug) for s in report.segments)
    write_whole(files[2], placing.to_json(replace(model, segments=segments)).encode())
    everyone, counts = analysis.assignment.everyone, analysis.assignment.counts
    if everyone is not None and counts is not None:
        members = everyone.write_memberships(files[1], segments, counts.n, analysis.study.memberships)
        return [files[0], *members, files[2]]
    if files[1].is_dir():
        # Spark wrote them last time.
        shutil.rmtree(files[1])
    memberships = pd.DataFrame({"key": cleaned.keys.astype("str"), "segment": evidence.labels.astype("int64")})
    confidence = rate_confidence(evidence.labels, analysis.features.prepared.matrix, model)
    memberships = memberships.assign(**name_segments(evidence.labels, segments), confidence=confidence)
    if analysis.tiers is not None:
        memberships = memberships.assign(tier=analysis.tiers.words())
    memberships.to_parquet(files[1], index=False)
    return files


def check_table_path(file: Path, shown: str) -> None:
    """Refuse a place that a table cannot be written to.

    Raises
    ------
    InputError
        For a folder, or a file whose name ends in neither .csv nor .parquet.
    """
    hint = "Name a file that ends in .csv or .parquet."
    if file.is_dir():
        raise InputError(f"--out {shown}: this is a folder.", "Expected a file.", hint)
    if file.suffix.lower() not in {".csv", ".parquet"}:
        raise InputError(
            f"--out {shown}: '{file.suffix}' is not a supported table format." if file.suffix else
            f"--out {shown}: the file name has no suffix for the table format.",
            "Supported: .csv (also for Excel) and .parquet.",
            hint,
        )  # fmt: skip
    above = next(folder for folder in file.parents if folder.exists())
    if not above.is_dir():
        raise InputError(f"--out {shown}: {above.name} is a file, not a folder.", hint=hint)


def write_table(table: pd.DataFrame, file: Path) -> None:
    """Write a table as CSV or Parquet, as the file's name ends; a missing folder is created.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix.lower() == ".parquet":
            table.to_parquet(file, index=False)
        else:
            table.to_csv(file, index=False)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.", hint="Choose another file.") from None


def private_values(raw: RawTable, cleaned: Cleaned, source: Source, study: Study) -> Private:
    """Return keys, free text and rare words of the sources, which must not be published.

    A rare word that is also a common one, or part of one, is no secret: the common one is published.
    """
    keys = frozenset(cleaned.keys) if source.key else frozenset()
    text: set[str] = set()
    common = [*source.labels.values(), *map(str, raw.frame.columns), *(name for row in RFM_NAMES for name in row)]
    for column in raw.columns:
        values = raw.frame[column.name]
        ignored = column.name in source.roles.ignore
        if column.name == source.key:
            continue
        if column.type == "text" or (ignored and column.type == "category"):
            text.update(values.dropna().astype(str))
        elif ignored and column.type in ("key", "number") and column.n_distinct >= NEARLY_ALL * values.notna().sum():
            keys |= frozenset(map(_written, values.dropna()))
        elif column.type == "category":
            counts = values.astype("str").value_counts()
            rare = counts.index[counts < study.min_cell]
            common += list(counts.index[counts >= study.min_cell])
            # What the settings merge their owner has written where everyone reads it.
            known = source.merge.get(column.name, {})
            text.update(level for level in rare if level not in known and not any(map(str.isdecimal, level)))
    told = "\n".join(_folded(level) for level in common)
    secret = frozenset(level for level in text if not _is_within(_folded(level), told))
    return Private(
        keys,
        secret,
        study.min_cell,
        frozenset({source.key}) if source.key else frozenset(),
        locale=study.locale,
        internal=study.disclosure == "internal",
        figures=frozenset().union(*(_list_figures(raw.frame[c.name]) for c in raw.columns if c.type == "number")),
        marked=frozenset(words for words in (*common, study.title, study.subtitle) if MARKS.search(words)),
    )


def _list_figures(values: pd.Series) -> frozenset[str]:
    """List the numbers of a column in which nearly each customer has another one, and few of those possible occur."""
    known = values.dropna().to_numpy(float)
    distinct = np.unique(known[np.isfinite(known)])
    if not len(distinct) or len(distinct) < SEVERAL * len(known):
        return frozenset()
    low, high = np.quantile(distinct, [0.1, 0.9])
    middle = distinct[(distinct >= low) & (distinct <= high)]
    decimals = max((len(format(x, ".12g").partition(".")[2]) for x in middle[:1_000].tolist()), default=0)
    if len(middle) > SPARSE * ((high - low) * 10.0**decimals + 1):
        return frozenset()
    return frozenset(filter(None, map(write_figure, distinct[:MOST_FIGURES].tolist())))


def _written(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _is_within(word: str, text: str) -> bool:
    """Return whether a word stands in a text, not as a part of another word."""
    return bool(word) and word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
