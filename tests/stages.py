"""A study taken through every stage in memory, with little resampling, for the tests of single stages."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import evidence, pages, resample
from analysis.cleaning import Cleaned, clean
from analysis.config import Source, Study, load_study
from analysis.demo import write_twin
from analysis.evidence import Evidence, gather_evidence
from analysis.explore import correlate, summarise_columns
from analysis.features import FeatureTable, build_features
from analysis.personas import Persona, write_personas
from analysis.prepare import Prepared, prepare
from analysis.profile import Profiles, profile_segments
from analysis.report import Report, write_report
from analysis.sources import RawTable, read_table

ROOT = Path(__file__).resolve().parent.parent
FEW = {"PAIRS": 4, "PAIRS_DECIDED": 8, "NULL_DRAWS": 4, "K_MOST": 6}


@dataclass(frozen=True, slots=True)
class Stages:
    """What each stage gave, from left to right."""

    study: Study
    raw: RawTable
    cleaned: Cleaned
    table: FeatureTable
    prepared: Prepared
    evidence: Evidence
    profiles: Profiles
    personas: tuple[Persona, ...]
    report: Report

    @property
    def source(self) -> Source:
        """The settings of the study's table."""
        return self.study.sources[0]


def in_turn(jobs: Iterable[Any]) -> list[Any]:
    """Run joblib jobs one after the other in this process."""
    return [function(*arguments, **named) for function, arguments, named in jobs]


@contextmanager
def little_work() -> Iterator[None]:
    """Cut the number of draws, and do all work in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setattr(evidence, name, value)
        patch.setattr(resample, "NULL_PAIRS", 3)
        patch.setattr(evidence, "run_parallel", in_turn)
        patch.setattr(pages, "run_parallel", in_turn)
        yield


def project_study(**changes: Any) -> Study:
    """Give the project's own settings, some of them changed."""
    return load_study(ROOT, "").model_copy(update=changes)


def read(path: Path, study: Study) -> RawTable:
    """Read a file as the settings say."""
    source = study.sources[0]
    return read_table(path, root=path.parent, types=source.types, dates=source.dates, decimal=source.decimal)


@functools.cache
def twin_table(n_customers: int) -> RawTable:
    """Read a synthetic twin."""
    with tempfile.TemporaryDirectory() as folder:
        return read(write_twin(Path(folder), n_customers), project_study())


def with_frame(raw: RawTable, frame: pd.DataFrame) -> RawTable:
    """The same table with other rows or values."""
    fields = {name: getattr(raw, name) for name in RawTable.__slots__}
    return RawTable(**{**fields, "frame": frame, "n_rows": len(frame)})


def judge(matrix: np.ndarray, study: Study | None = None, core: np.ndarray | None = None) -> Evidence:
    """Gather evidence about a matrix with little work."""
    core = np.ones(len(matrix), dtype=bool) if core is None else core
    with little_work():
        return gather_evidence(matrix, core, study or project_study())


@functools.cache
def run_stages(n_customers: int = 500) -> Stages:
    """Take a synthetic twin through every stage under the project's own settings."""
    study = project_study()
    return take_through(twin_table(n_customers), study)


def take_through(raw: RawTable, study: Study) -> Stages:
    """Take a table through every stage."""
    source = study.sources[0]
    cleaned = clean(raw, source, study)
    table = build_features(cleaned, source, study)
    prepared = prepare(table, study)
    found = judge(prepared.matrix, study, prepared.core)
    profiles = profile_segments(
        table, found.labels, prepared.matrix, prepared.variables, study.value, study.min_cell, study.seed
    )
    personas = write_personas(
        profiles, found.segments, table.variables, study, ROOT / "templates" / "playbook.yml"
    )
    report = write_report(
        study, raw, cleaned, summarise_columns(raw, cleaned, source, study.min_cell, {}), correlate(table), table,
        prepared, found, profiles, personas, True, {"python": "3"}, "",
    )  # fmt: skip
    return Stages(study, raw, cleaned, table, prepared, found, profiles, personas, report)
