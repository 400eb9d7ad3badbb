"""Placing of new customers: their files read, placed and written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from analysis.assignment.model import Model, read_model
from analysis.assignment.parts import Scored, find_parts, score_parts
from analysis.assignment.scoring import Drift, check_sources, explain_gaps, measure_gaps, score
from analysis.base.run import Stage
from analysis.customers.engines.sessions import execute_on
from analysis.report.outputs import check_table_path, write_table
from analysis.sources.inputs import read_source
from analysis.sources.keys import align_keys
from analysis.sources.tables import RawTable


def place_files(
    root: Path, files: Sequence[str], out: Path, as_of: dt.date | None, engine: str, stage: Stage
) -> tuple[Scored, list[str]]:
    """Assign the customers of some files to the published segments, and write the answers.

    Parameters
    ----------
    root : Path
        Project folder.
    files : sequence of str
        One for each source of the study.
    out : Path
        CSV or Parquet file, from ``root``.
    as_of : date, optional
        Day that features look back from.
    engine : {"duckdb", "spark"}
        What aggregates rows to customers.
    stage : callable
        Opens a named stage.

    Returns
    -------
    scored : Scored
    notes : list of str
        What the files lack.

    Raises
    ------
    InputError
        For files that do not fit the study; the last answers stay.
    """
    check_table_path(root / out, str(out))
    with execute_on(engine):
        return _place(root, files, out, as_of, stage)


def _place(
    root: Path, files: Sequence[str], out: Path, as_of: dt.date | None, stage: Stage
) -> tuple[Scored, list[str]]:
    with stage("Read"):
        model = read_model(root / "build" / "model.json")
        check_sources(files, model)
        parts = find_parts(files[0], root, model, as_of)
        raws = () if parts else _read_whole(root, files, model)
        gaps = [measure_gaps(raw, model, at) for at, raw in enumerate(raws)]
        notes = explain_gaps(gaps)
    if parts:
        with stage("Place and write") as tick:
            scored = score_parts(parts, model, as_of, root / out, tick)
        return scored, explain_gaps([scored.gaps])
    with stage("Place"):
        scores = score(raws, model, as_of)
    with stage("Write"):
        write_table(scores, root / out)
    return Scored(len(scores), tuple(map(str, scores)), gaps[0], Drift.of(scores)), notes


def _read_whole(root: Path, files: Sequence[str], model: Model) -> Sequence[RawTable]:
    each = zip(files, model.study.sources, model.types, strict=True)
    tables = [read_source(path, root, source, "score", types, fewest=1) for path, source, types in each]
    return align_keys(tables, model.study)
