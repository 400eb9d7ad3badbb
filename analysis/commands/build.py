"""A build around the method: where the data are, whether anything changed, and what the build was made of."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.base.cache import Kept
from analysis.base.errors import InputError, listed
from analysis.base.locales import localized
from analysis.base.manifest import STAMP, find_changed, list_digests, read_stamp, write_whole
from analysis.base.run import USERS, Effort, Run, Stage, open_silently
from analysis.base.salt import keep_salt, read_salt
from analysis.commands.stamp import EXPERIMENTS, Code, Stamp, mark_history, package_versions, stamp_inputs
from analysis.settings.load import load_study
from analysis.settings.models import ENGINES, Study
from analysis.sources.locate import Location, files_at, is_address, locate

if TYPE_CHECKING:
    import typer

    from analysis.customers.engines.sessions import Execution
    from analysis.sources.inputs import Inputs


PRIVATE_LIST = "build/private.json.gz"
"""File of the private values that the publication check looks for."""
RESULTS = ("build/", "site/history/")
"""Where the files of a build are that do not depend on how pages are written."""
SPILL = "build/spill"
"""Folder for rows that do not fit into memory, and for the log of a Spark session that is started here."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left: the data it was made of, whether anything had to be computed, and what was left out."""

    data: str
    synthetic: bool
    fresh: bool
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Record:
    """What a build was made of, what there is to say about it, and which files it read and wrote."""

    analysis: str
    pages: str
    history: str
    data: str
    synthetic: bool
    told: tuple[str, ...]
    read: list[str]
    files: dict[str, str]


def build(
    root: Path,
    data: Path | str | None = None,
    stage: Stage = open_silently,
    force: bool = False,
    demo: bool = False,
    app: typer.Typer | None = None,
    effort: Effort = USERS,
    engine: str | None = None,
) -> Built:
    """Data to ``build/`` and ``site/*.qmd``; nothing is computed where data, settings and code are the same.

    Where only templates, notes or the code of pages changed, the pages are written again from the last report.

    Parameters
    ----------
    root : Path
        Project folder.
    data : Path or str, optional
        File or address to read instead of the first source of the settings.
    stage : callable, optional
        Opens a named stage; what it yields takes a line that says what is being done in it.
    force : bool
        Compute even where nothing changed.
    demo : bool
        Use the synthetic study of the settings in place of their sources.
    app : typer.Typer, optional
        The commands, which the manual lists.
    effort : Effort, optional
        How much is computed.
    engine : {"duckdb", "spark"}, optional
        What aggregates rows to customers; by default that of the settings.

    Raises
    ------
    InputError
        For invalid settings or data. The earlier build is kept.
    """
    study = _choose_engine(load_study(root), engine)
    paths, synthetic = _locate(root, study, data, demo)
    spoiled: list[str] = []
    stamp, last = stamp_inputs(root, paths, effort, study.engine), {} if force else read_stamp(root)
    if _is_same(root, last, stamp, paths):
        spoiled = find_changed(root, last["files"])
        _refuse_lost_list(spoiled)
        if not spoiled:
            return Built(last["data"], last["synthetic"], fresh=False)
    with localized(study.locale):
        run = Run(stage, Kept(root / "build" / "kept", Code(root).mark, anew=force), effort)
        if _is_analysed(root, last, stamp, paths):
            made = _write_again(root, last, stamp, run, app)
        else:
            made = _make(root, study, paths, synthetic, data is not None, stamp, run, app)
    return replace(made, told=(*_explain_repair(spoiled), *made.told))


def _refuse_lost_list(spoiled: list[str]) -> None:
    """Refuse to go on without the list of private values; it is made again only where that is asked for."""
    if PRIVATE_LIST in spoiled:
        raise InputError(
            f"{PRIVATE_LIST} is missing or damaged: the publication check would not know what is private.",
            "It was written with the last build.",
            "To analyse the data and write it again, run: python -m analysis build --force",
        )


def _explain_repair(spoiled: list[str]) -> tuple[str, ...]:
    if not spoiled:
        return ()
    were = "was" if len(spoiled) == 1 else "were"
    return (f"{listed(spoiled, 3)} {were} missing or damaged since the last build, and {were} made again.",)


def find_last(
    root: Path,
    data: Path | str | None = None,
    demo: bool = False,
    effort: Effort = USERS,
    engine: str | None = None,
) -> Built | None:
    """Return the last build where data, settings, templates and code are still the same, else None."""
    study, last = _choose_engine(load_study(root), engine), read_stamp(root)
    paths = _locate(root, study, data, demo)[0]
    if not _is_same(root, last, stamp_inputs(root, paths, effort, study.engine), paths):
        return None
    return None if find_changed(root, last["files"]) else Built(last["data"], last["synthetic"], fresh=False)


def _choose_engine(study: Study, engine: str | None) -> Study:
    """Return the study with the engine that a command names."""
    if engine is None:
        return study
    if engine not in ENGINES:
        raise InputError(f"--engine {engine}: unknown engine.", f"Valid: {', '.join(ENGINES)}.")
    return study.model_copy(update={"engine": engine})


def _is_same(root: Path, last: dict[str, Any], stamp: Stamp, paths: list[Location]) -> bool:
    """Return whether nothing changed since the last build, but perhaps the files that it wrote."""
    return _has_same_analysis(root, last, stamp, paths) and last["pages"] == stamp.pages


def _is_analysed(root: Path, last: dict[str, Any], stamp: Stamp, paths: list[Location]) -> bool:
    """Return whether the last report is there and is what would be written now."""
    return _has_same_analysis(root, last, stamp, paths) and not find_changed(root, _results_of(last))


def _has_same_analysis(root: Path, last: dict[str, Any], stamp: Stamp, paths: list[Location]) -> bool:
    # What an address holds may have changed: it is read each time. A record of another form is as good as none.
    if any(isinstance(path, str) for path in paths) or {field.name for field in fields(_Record)} != set(last):
        return False
    return last["analysis"] == stamp.analysis and last["history"] == mark_history(root)


def _results_of(last: dict[str, Any]) -> dict[str, str]:
    """The files of the last build that are no pages, with their digests."""
    return {name: known for name, known in last["files"].items() if name.startswith(RESULTS)}


def _write_again(root: Path, last: dict[str, Any], stamp: Stamp, run: Run, app: typer.Typer | None) -> Built:
    """Write the pages from the last report."""
    from analysis.pages.book import write_pages
    from analysis.pages.notes import explain_lost, read_notes
    from analysis.report.model import read_report

    report, notes, manual = read_report(root / "build" / "report.json"), read_notes(root), _read_manual(app)
    (root / STAMP).unlink(missing_ok=True)
    with run.stage("Write pages"):
        pages = write_pages(report, root, run.cache, manual)
    files = _results_of(last) | list_digests(root, pages)
    _write_record(root, _Record(**dict[str, Any](last, pages=stamp.pages, files=files)), run)
    return Built(last["data"], last["synthetic"], fresh=True, told=(*last["told"], *explain_lost(notes, report)))


def _read_manual(app: typer.Typer | None) -> dict[str, Any]:
    """Read what the pages about the tool print."""
    from analysis.manual.contents import read_manual

    return read_manual(app)


def _write_record(root: Path, record: _Record, run: Run) -> None:
    """Write what a build was made of, last of all."""
    if run.cache is not None:
        run.cache.tidy()
    write_whole(root / STAMP, f"{json.dumps(asdict(record), indent=1)}\n".encode())


def _make(
    root: Path,
    study: Study,
    paths: list[Location],
    synthetic: bool,
    chosen: bool,
    stamp: Stamp,
    run: Run,
    app: typer.Typer | None = None,
) -> Built:
    """Read the tables, make everything of them, and note what it was made of.

    The imports stand here, so that a build with nothing to do takes less than a second, and a file that cannot be read
    is reported before the analysis is imported, which takes another one or two.
    """
    from analysis.base.workers import warm_up
    from analysis.customers.engines.sessions import execute_on

    with execute_on(study.engine, study.memory, root / SPILL) as execution:
        with run.stage("Read"):
            inputs, study = _read(root, study, paths, synthetic, chosen, execution)
        salt = read_salt(root)
        inputs = inputs.sealed(salt)
        # Where evidence is likely to be cached, processes are started when there is work for them.
        if run.cache is None or not run.cache.holds("analysis.clustering.sampling"):
            warm_up("analysis.clustering.resample")
        from analysis.experiments.closing import measure_due
        from analysis.experiments.records import read_experiments
        from analysis.pipeline import make_pages
        from analysis.report.speed import read_speed
        from analysis.report.trials import read_validation
        from analysis.report.write import Tool
        from analysis.sources.assumptions import list_assumptions

        measured = measure_due(root, inputs.tables, study)
        if measured:
            stamp = stamp_inputs(root, paths, run.effort, study.engine)
        versions, experiments = package_versions(study.engine), read_experiments(root, study.title)
        tool = Tool(versions, read_validation(root), read_speed(root), experiments)
        written = make_pages(root, inputs, study, tool, lambda: _read_manual(app), run, lambda: _begin(root, salt))
    told = (*list_assumptions(inputs, study), *written.messages)
    record = _Record(
        stamp.analysis,
        stamp.pages,
        mark_history(root),
        inputs.tables[0].shown_path,
        inputs.synthetic,
        told,
        _list_inside(root, paths),
        list_digests(root, written.files),
    )
    _write_record(root, record, run)
    return Built(record.data, record.synthetic, fresh=True, told=(*told, *measured, *written.lost))


def _read(
    root: Path, study: Study, paths: list[Location], synthetic: bool, chosen: bool, execution: Execution
) -> tuple[Inputs, Study]:
    """Read the tables, or samples of them, and settle how many customers are held."""
    from analysis.customers.engines.frames import Holding
    from analysis.sources.inputs import read_inputs

    folder, scan = execution.make_folder(), not _has_running_test(root, study)
    inputs, study = read_inputs(root, study, paths, synthetic, chosen, scan=scan, folder=folder)
    if study.engine == "duckdb":
        inputs = inputs.fetched(study, folder)
    # To customers who are all held, others are joined in memory.
    if any(t.population for t in inputs.tables) or not any(s.kind in ("customers", "survey") for s in study.sources):
        execution.holding = Holding(study.in_memory, study.seed, root / SPILL / "held")
    return inputs, study


def _has_running_test(root: Path, study: Study) -> bool:
    """Return whether a test is running, which single rows of the data measure."""
    if not any((root / EXPERIMENTS).glob("*.yml")):
        return False
    from analysis.experiments.records import read_experiments

    return any(test.status == "running" for test in read_experiments(root, study.title))


def _begin(root: Path, salt: bytes) -> None:
    """Keep the secret, and remove the record of the last build: until the next is complete, there is no whole one."""
    keep_salt(root, salt)
    (root / STAMP).unlink(missing_ok=True)


def _list_inside(root: Path, paths: list[Location]) -> list[str]:
    """List the files that were read, as far as they lie in the project."""
    files = [file.resolve() for path in paths if isinstance(path, Path) for file in files_at(path)]
    home = root.resolve()
    return [file.relative_to(home).as_posix() for file in files if file.is_relative_to(home)]


def _locate(root: Path, study: Study, data: Path | str | None, demo: bool) -> tuple[list[Location], bool]:
    def has_real_run() -> bool:
        from analysis.past.archive import knows_real_run

        return knows_real_run(root, study)

    return locate(root, study, data, demo, has_real_run)


def data_files(root: Path, data: str | None = None) -> list[Path]:
    """The files that a study reads, wherever they lie; none where its settings cannot be read just now.

    Parameters
    ----------
    root : Path
        Project folder.
    data : str, optional
        What stands in for the first source, from where the user stands.
    """
    try:
        study = load_study(root)
    except InputError:
        return []
    places = [(root, source.path) for source in study.sources]
    if data is not None:
        places[0] = (Path.cwd(), data)
    files: list[Path] = []
    for folder, place in places:
        path = os.path.expandvars(place.partition("?")[0].removeprefix("sqlite:///"))
        if not is_address(path):
            files += files_at(folder / Path(path).expanduser())
    return files
