"""The private files of a run: memberships, the model that scores new customers, and what must never be published."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis import scoring
from analysis.cleaning import Cleaned
from analysis.config import Source, Study
from analysis.disclosure import Private
from analysis.evidence import Evidence
from analysis.report import Report, to_json
from analysis.scoring import Model
from analysis.sources import RawTable


def write_outputs(build: Path, report: Report, cleaned: Cleaned, evidence: Evidence, model: Model) -> list[Path]:
    """Write ``report.json``, ``memberships.parquet`` and ``model.json``; returns their paths."""
    build.mkdir(parents=True, exist_ok=True)
    files = [build / name for name in ("report.json", "memberships.parquet", "model.json")]
    files[0].write_text(to_json(report), encoding="utf-8")
    memberships = pd.DataFrame({"key": cleaned.keys.astype("str"), "segment": evidence.labels.astype("int64")})
    memberships.to_parquet(files[1], index=False)
    files[2].write_text(scoring.to_json(model), encoding="utf-8")
    return files


def private_values(raw: RawTable, cleaned: Cleaned, source: Source, study: Study) -> Private:
    """Keys, free text and words of a few customers in the source: what the gate refuses to publish."""
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
