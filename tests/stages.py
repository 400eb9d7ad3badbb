"""A study taken through every stage without pages and with little resampling, for the tests of single stages."""

from __future__ import annotations

import functools
import importlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import pipeline
from analysis.base import workers
from analysis.base.run import TESTS
from analysis.clustering import evidence
from analysis.clustering.evidence import Evidence, gather_evidence
from analysis.customers.cleaning import Cleaned
from analysis.features.build import FeatureTable
from analysis.features.prepare import Prepared
from analysis.pages import book, drawings
from analysis.report.model import Report
from analysis.segments.personas import Persona
from analysis.segments.profile import Profiles
from analysis.settings.load import load_study
from analysis.settings.models import Source, Study
from analysis.sources.synthetic.twin import write_twin
from analysis.sources.tables import RawTable, read_table

ROOT = Path(__file__).resolve().parent.parent
VERBS = {
    "raw": ("pipeline", "read_source"),
    "cleaned": ("customers.cleaning", "clean"),
    "table": ("features.build", "build_features"),
    "prepared": ("features.prepare", "prepare"),
    "evidence": ("clustering.evidence", "gather_evidence"),
    "profiles": ("segments.profile", "profile_segments"),
    "personas": ("segments.personas", "write_personas"),
    "report": ("report.write", "write_report"),
}
"""The verb of each stage, by what it gives."""


@dataclass(frozen=True, slots=True)
class Stages:
    """What each stage gave, from left to right, and the folder with the private files."""

    study: Study
    raw: RawTable
    cleaned: Cleaned
    table: FeatureTable
    prepared: Prepared
    evidence: Evidence
    profiles: Profiles
    personas: tuple[Persona, ...]
    report: Report
    build: Path

    @property
    def source(self) -> Source:
        """The settings of the study's table."""
        return self.study.sources[0]


def in_turn(jobs: Iterable[Any], **_: Any) -> list[Any]:
    """Run joblib jobs one after the other in this process."""
    return [function(*arguments, **named) for function, arguments, named in jobs]


@contextmanager
def little_work() -> Iterator[pytest.MonkeyPatch]:
    """Do all work in this process, without starting others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "run_parallel", in_turn)
        patch.setattr(workers, "run_parallel", in_turn)
        patch.setattr(drawings, "run_parallel", in_turn)
        patch.setattr(workers, "warm_up", lambda module: None)
        yield patch


@functools.cache
def project_study() -> Study:
    """Give the project's own settings."""
    return load_study(ROOT, "")


@functools.cache
def temporary_folder() -> Path:
    """Make a folder that lasts as long as the tests run."""
    folder = tempfile.TemporaryDirectory(prefix="stages-")
    _KEPT.append(folder)
    return Path(folder.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def twin_file(n_customers: int) -> Path:
    """Write a synthetic twin."""
    return write_twin(temporary_folder() / f"twin-{n_customers}", n_customers)


@functools.cache
def twin_table(n_customers: int) -> RawTable:
    """Read a synthetic twin."""
    return read_table(twin_file(n_customers), root=ROOT)


def with_frame(raw: RawTable, frame: pd.DataFrame) -> RawTable:
    """Give the same table with other rows or values."""
    fields = {name: getattr(raw, name) for name in RawTable.__slots__}
    return RawTable(**{**fields, "frame": frame, "n_rows": len(frame)})


def judge(matrix: np.ndarray, study: Study | None = None, core: np.ndarray | None = None) -> Evidence:
    """Gather evidence about a matrix with little work."""
    core = np.ones(len(matrix), dtype=bool) if core is None else core
    with little_work():
        return gather_evidence(matrix, core, study or project_study(), effort=TESTS)


def take_through(data: Path | pd.DataFrame, study: Study, root: Path) -> Stages:
    """Take a table through the whole line in a folder of its own, and keep what each stage gives."""
    if isinstance(data, pd.DataFrame):
        file = root / "data" / Path(study.sources[0].path).name
        file.parent.mkdir(parents=True, exist_ok=True)
        data.to_csv(file, index=False, sep="\t")
        data = file
    (root / "_quarto.yml").write_text("{}", encoding="utf-8")
    if not (root / "templates").is_dir():
        shutil.copytree(ROOT / "templates", root / "templates")
    given: dict[str, Any] = {}

    def keep(name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(verb)
        def run(*arguments: Any, **named: Any) -> Any:
            given[name] = verb(*arguments, **named)
            return given[name]

        return run

    with little_work() as patch:
        for name, (module, verb) in VERBS.items():
            place = importlib.import_module(f"analysis.{module}")
            patch.setattr(place, verb, keep(name, getattr(place, verb)))
        patch.setattr(pipeline, "load_study", lambda root: study)
        patch.setattr(book, "write_pages", lambda *_: [])
        pipeline.build(root, data, force=True, effort=TESTS)
    return Stages(study=study, **given, build=root / "build")


@functools.cache
def run_stages(n_customers: int = 500) -> Stages:
    """Take a synthetic twin through the line under the project's own settings."""
    root = temporary_folder() / f"root-{n_customers}"
    root.mkdir()
    return take_through(twin_file(n_customers), project_study(), root)
