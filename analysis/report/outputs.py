"""Private results of a run: memberships, scoring model and table exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.assignment import model as placing
from analysis.assignment.model import Model, Name
from analysis.assignment.scoring import name_segments
from analysis.base.errors import InputError
from analysis.clustering.evidence import Evidence
from analysis.customers.cleaning import Cleaned
from analysis.report.model import Report, to_json
from analysis.report.private import Private
from analysis.settings.models import Source, Study
from analysis.sources.tables import RawTable


def write_outputs(build: Path, report: Report, cleaned: Cleaned, evidence: Evidence, model: Model) -> list[Path]:
    """Write ``report.json``, ``memberships.parquet`` and ``model.json``; returns their paths."""
    build.mkdir(parents=True, exist_ok=True)
    files = [build / name for name in ("report.json", "memberships.parquet", "model.json")]
    files[0].write_text(to_json(report), encoding="utf-8")
    segments = tuple(Name(s.letter, s.name, s.slug) for s in report.segments)
    memberships = pd.DataFrame({"key": cleaned.keys.astype("str"), "segment": evidence.labels.astype("int64")})
    memberships.assign(**name_segments(evidence.labels, segments)).to_parquet(files[1], index=False)
    files[2].write_text(placing.to_json(replace(model, segments=segments)), encoding="utf-8")
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
    """Return keys, free text and rare words of the sources, which must not be published."""
    keys = frozenset(cleaned.keys) if source.key else frozenset()
    text: set[str] = set()
    for column in raw.columns:
        values = raw.frame[column.name]
        hidden = column.type == "text" or (column.name in source.roles.ignore and column.type == "category")
        if hidden and column.name != source.key:
            text.update(values.dropna().astype(str))
        elif column.type == "category":
            counts = values.astype("str").value_counts()
            rare = counts.index[counts < study.min_cell]
            # What the settings merge their owner has written where everyone reads it.
            known = source.merge.get(column.name, {})
            text.update(level for level in rare if level not in known and not any(map(str.isdecimal, level)))
    names = frozenset({source.key}) if source.key else frozenset()
    return Private(keys, frozenset(text), study.min_cell, names, locale=study.locale)
