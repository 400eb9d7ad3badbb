"""End of tests: each is measured once, when its window lies in the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.base.disclosure import Disclosure
from analysis.base.errors import InputError
from analysis.customers.engines.sessions import execute_on
from analysis.experiments.measurement import measure
from analysis.experiments.outcomes import KINDS, date_data, find_source, read_outcomes, sum_outcomes
from analysis.experiments.planning import describe_state, read_date
from analysis.experiments.records import Experiment, read_experiments, read_groups, write_experiment
from analysis.settings.models import Study
from analysis.sources.inputs import read_source
from analysis.sources.keys import align_keys
from analysis.sources.locate import Location
from analysis.sources.tables import RawTable


def measure_file(root: Path, test: Experiment, place: str, study: Study) -> str:
    """Measure a test by a file of outcomes, unless its window has not ended; return what happened in one line."""
    _check_running(test)
    groups = read_groups(root, test)
    source = study.sources[0]
    key = source.key or source.columns.customer or "key"
    outcomes, as_of = read_outcomes(root, place, test, groups, key, read_date(root))
    if test.days_left(as_of):
        return _wait(test, as_of)
    return _close(root, measure(test, groups, outcomes, Disclosure.of(study)))


def measure_running(root: Path, tests: Sequence[Experiment], study: Study, places: Sequence[Location]) -> list[str]:
    """Measure tests by the transactions and events of a study; say in one line for each what happened.

    Parameters
    ----------
    root : Path
    tests : sequence of Experiment
    study : Study
    places : sequence of Path or str
        Location of each source.
    """
    for test in tests:
        _check_running(test)
    kinds = dict.fromkeys(map(_kind_of, tests))
    kept = [
        (i, source)
        for i, source in enumerate(study.sources)
        if source.kind in kinds or (source.kind in ("customers", "survey") and source.key)
    ]
    for kind in kinds:
        if not any(source.kind == kind for _, source in kept):
            find_source((), study.model_copy(update={"sources": ()}), kind)
    part = study.model_copy(update={"sources": tuple(source for _, source in kept)})
    with execute_on(study.engine):
        raws = [read_source(places[i], root, source, f"segmentation.sources[{i}]") for i, source in kept]
    tables = align_keys(raws, part)
    newest = {kind: date_data(tables, part, kind) for kind in kinds}
    return [_measure(root, test, tables, part, newest[_kind_of(test)]) for test in tests]


def measure_due(root: Path, tables: Sequence[RawTable], study: Study) -> list[str]:
    """Measure what a build's new data cover: running tests of purchases or visits that are kept on this computer."""
    running = [test for test in read_experiments(root, study.title) if test.status == "running" and test.kpi in KINDS]
    newest = {kind: date_data(tables, study, kind) for kind in dict.fromkeys(map(_kind_of, running))}
    lines = []
    for test in running:
        as_of = newest[_kind_of(test)]
        if not as_of or test.days_left(as_of):
            continue
        try:
            lines.append(_measure(root, test, tables, study, as_of))
        except InputError as error:
            lines.append(str(error).splitlines()[0])
    return lines


def _kind_of(test: Experiment) -> str:
    """Name the kind of source that dates a test: the one that holds its outcome, or transactions."""
    return KINDS.get(test.kpi, "transactions")


def _measure(root: Path, test: Experiment, tables: Sequence[RawTable], study: Study, as_of: str) -> str:
    if test.days_left(as_of):
        return _wait(test, as_of)
    if test.kpi not in KINDS:
        raise InputError(
            f"Test '{test.name}': transactions and events do not hold its outcome, {test.kpi}.",
            hint=f"Give a file: python -m analysis measure {test.name} --outcomes results.csv",
        )
    groups = read_groups(root, test)
    return _close(root, measure(test, groups, sum_outcomes(tables, study, test, groups), Disclosure.of(study)))


def _check_running(test: Experiment) -> None:
    if test.status != "running":
        raise InputError(
            f"Test '{test.name}' is {test.status}, not running.",
            "A test is measured once, at the end of its window.",
            "See: python -m analysis test status",
        )


def _wait(test: Experiment, as_of: str) -> str:
    return f"{describe_state([test], as_of)[0]} No effect is shown before the end."


def _close(root: Path, test: Experiment) -> str:
    write_experiment(root, test)
    return f"{test.name} is measured: experiments/{test.name}.yml has the results."
