"""A study taken through every stage without pages and with little resampling, for the tests of single stages."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import vl_convert
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from analysis import pipeline
from analysis.base import workers
from analysis.base.run import TESTS
from analysis.clustering import evidence
from analysis.clustering.evidence import Evidence, gather_evidence
from analysis.commands import build
from analysis.customers.cleaning import Cleaned
from analysis.features.build import FeatureTable
from analysis.features.preparation import Features
from analysis.features.prepare import Prepared
from analysis.pages import book, drawings, templating
from analysis.pages.downloads import takeaways
from analysis.pages.figures import Figure
from analysis.profiles.profile import Profiles
from analysis.report.analysis import Analysis
from analysis.report.model import Report
from analysis.report.write import Tool, write_report
from analysis.segments.personas import Persona
from analysis.settings.load import load_study
from analysis.settings.models import Study
from analysis.settings.sources import Source
from analysis.sources.synthetic.twin import write_twin
from analysis.sources.tables import RawTable, read_table
from tests.built_sites import make_once

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Stages:
    """What each stage gave, from left to right, and the folder with the private files."""

    study: Study
    analysis: Analysis
    report: Report
    build: Path

    @property
    def source(self) -> Source:
        """The settings of the study's table."""
        return self.study.sources[0]

    @property
    def raw(self) -> RawTable:
        """The first table, as read."""
        return self.analysis.inputs.tables[0]

    @property
    def cleaned(self) -> Cleaned:
        """Customers, cleaned."""
        return self.analysis.customers.cleaned

    @property
    def features(self) -> Features:
        """What the customers are clustered by."""
        return self.analysis.features

    @property
    def table(self) -> FeatureTable:
        """Features as they were built."""
        return self.features.built

    @property
    def prepared(self) -> Prepared:
        """The matrix."""
        return self.features.prepared

    @property
    def evidence(self) -> Evidence:
        """Labels and what speaks for them."""
        return self.analysis.evidence

    @property
    def profiles(self) -> Profiles:
        """Segments in figures."""
        return self.analysis.segments.profiles

    @property
    def personas(self) -> tuple[Persona, ...]:
        """Segments in words."""
        return self.analysis.segments.personas


def in_turn(jobs: Iterable[Any], **_: Any) -> list[Any]:
    """Run joblib jobs one after the other in this process."""
    return [function(*arguments, **named) for function, arguments, named in jobs]


class CompiledTemplates(BytecodeCache):
    """Templates that were compiled before, found by their name and text, whatever folder they are in."""

    def __init__(self) -> None:
        self.compiled: dict[tuple[str, str], bytes] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        if (content := self.compiled.get((bucket.key, bucket.checksum))) is not None:
            bucket.bytecode_from_string(content)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


TEMPLATES = CompiledTemplates()
bundle_scripts = functools.cache(vl_convert.javascript_bundle)


@contextmanager
def little_work() -> Iterator[pytest.MonkeyPatch]:
    """Do all work in this process, without starting others; compile each template and bundle each script once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "run_parallel", in_turn)
        patch.setattr(workers, "run_parallel", in_turn)
        patch.setattr(drawings, "run_parallel", in_turn)
        patch.setattr(workers, "warm_up", lambda module: None)
        patch.setattr(templating, "Environment", functools.partial(Environment, bytecode_cache=TEMPLATES))
        patch.setattr(vl_convert, "javascript_bundle", bundle_scripts)
        yield patch


@contextmanager
def empty_pictures(*drawn: str) -> Iterator[pytest.MonkeyPatch]:
    """Build in this process: the charts that are named are drawn, and an empty picture stands for each other one."""

    def draw(figures: Iterable[Figure], tokens: dict[str, str], *_: Any) -> dict[str, str]:
        figures = list(figures)
        pictures = drawings.draw_pictures([figure for figure in figures if figure.id in drawn], tokens) if drawn else {}
        return {figure.id: pictures.get(figure.id, '<svg viewBox="0 0 720 300"></svg>') for figure in figures}

    with little_work() as patch:
        patch.setattr(book, "draw_pictures", draw)
        yield patch


@contextmanager
def plain_pages() -> Iterator[pytest.MonkeyPatch]:
    """Write pages in this process without drawing pictures and without compiling briefs."""
    with empty_pictures() as patch:
        patch.setattr(takeaways, "write_briefs", lambda *_: [])
        yield patch


@functools.cache
def project_study() -> Study:
    """Give the project's own settings, with numbers stated as they are: tests hold them against their own."""
    return load_study(ROOT, "").model_copy(update={"disclosure": "internal"})


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
    return replace(raw, frame=frame, n_rows=len(frame))


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
    given: list[tuple[Analysis, Report]] = []

    def keep(analysis: Analysis, tool: Tool) -> Report:
        report = write_report(analysis, tool)
        given.append((analysis, report))
        return report

    with little_work() as patch:
        patch.setattr(pipeline, "write_report", keep)
        patch.setattr(build, "load_study", lambda root: study)
        patch.setattr(book, "write_pages", lambda *_: [])
        build.build(root, data, force=True, effort=TESTS)
    return Stages(study, *given[0], root / "build")


@functools.cache
def run_stages(n_customers: int = 500) -> Stages:
    """Take a synthetic twin through the line under the project's own settings, once for all test processes."""

    def take(folder: Path) -> Stages:
        return take_through(write_twin(folder / "twin", n_customers), project_study(), folder)

    return make_once(f"stages-{n_customers}", take)
