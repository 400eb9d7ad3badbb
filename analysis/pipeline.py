"""The line from a file to pages, top to bottom."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.base.cache import Kept
from analysis.base.errors import InputError
from analysis.base.formats import localized
from analysis.base.run import USERS, Effort, Run, Stage, open_silently
from analysis.features.checks import check_draft, check_features
from analysis.settings.load import check_study, load_study
from analysis.settings.models import Study
from analysis.sources.locate import Location, files_at, locate, read_source
from analysis.stamp import mark_code, mark_history, package_versions, stamp_inputs

if TYPE_CHECKING:
    import typer


@dataclass(frozen=True, slots=True)
class Built:
    """What a build left: the data it was made of, whether anything had to be computed, and what was left out."""

    data: str
    synthetic: bool
    fresh: bool
    told: tuple[str, ...] = ()


def build(
    root: Path,
    data: Path | str | None = None,
    stage: Stage = open_silently,
    force: bool = False,
    demo: bool = False,
    app: typer.Typer | None = None,
    effort: Effort = USERS,
) -> Built:
    """Data to ``build/`` and ``site/*.qmd``; nothing is computed where data, settings and code are the same.

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

    Raises
    ------
    InputError
        For settings or data that cannot be used; what was built before stays as it was.
    """
    study = load_study(root)
    paths, synthetic = _locate(root, study, data, demo)
    if not force and (last := _find_same(root, paths, effort)):
        return last
    with localized(study.locale):
        run = Run(stage, Kept(root / "build" / "kept", mark_code(root), anew=force), effort)
        return _compute(root, study, paths, synthetic, data is not None, run, app)


def find_last(root: Path, data: Path | str | None = None, demo: bool = False, effort: Effort = USERS) -> Built | None:
    """Return the last build where data, settings, templates and code are still the same, else None."""
    return _find_same(root, _locate(root, load_study(root), data, demo)[0], effort)


def _find_same(root: Path, paths: list[Location], effort: Effort) -> Built | None:
    # What an address holds may have changed: it is read each time.
    if any(isinstance(path, str) for path in paths):
        return None
    # A record that cannot be read, as an interrupted build leaves it, is as good as none.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        last = json.loads((root / "build" / "stamp.json").read_text(encoding="utf-8"))
        same = last["stamp"] == stamp_inputs(root, paths, effort) and last["history"] == mark_history(root)
        if same and all((root / name).is_file() for name in last["files"]):
            return Built(last["data"], last["synthetic"], fresh=False)
    return None


def _compute(
    root: Path,
    study: Study,
    paths: list[Location],
    synthetic: bool,
    chosen: bool,
    run: Run,
    app: typer.Typer | None = None,
) -> Built:
    # Imported here, so that a build with nothing to do starts in no time, and a wrong file is told of at once.
    from analysis.base.workers import run_all, warm_up
    from analysis.sources.draft import as_yaml, complete_study, draft_settings, explain_columns, explain_rows, is_known
    from analysis.sources.synthetic.retailer import is_retailer
    from analysis.sources.synthetic.twin import is_twin
    from analysis.sources.tables import read_table

    stamp, stage, effort = stamp_inputs(root, paths, run.effort), run.stage, run.effort
    with stage("Read"):
        raws = [read_source(paths[0], root, study.sources[0], "--data" if chosen else "segmentation.sources[0]")]
        if isinstance(paths[0], Path):
            synthetic = synthetic or is_retailer(paths[0].parent)
            synthetic = synthetic or is_twin(paths[0], raws[0].sha256, tuple(raws[0].frame.columns), raws[0].n_rows)
        draft = None
        if chosen and not is_known(raws[0], study):
            raws = [read_table(paths[0], root=root, setting="--data")]
            # Elsewhere the file's name alone: an address or a folder outside is nobody's business.
            name = f"data/{raws[0].shown_path}"
            if isinstance(paths[0], Path) and paths[0].is_relative_to(root):
                name = paths[0].relative_to(root).as_posix()
            draft = draft_settings(raws[0], name)
            study = check_study({**draft, "locale": study.locale})
            check_draft(study, raws[0])
        for i, source in enumerate(study.sources[1:], start=1):
            raws.append(read_source(paths[i], root, source, f"segmentation.sources[{i}]"))
        written = (None,) if draft else study.sources
        study, reasons = complete_study(raws, study)
        read = [explain_rows(*each) for each in zip(raws, written, study.sources, strict=True)]
    warm_up("analysis.clustering.resample")
    from analysis.assignment.questions import find_questions
    from analysis.assignment.rules import find_rules
    from analysis.assignment.scoring import make_model
    from analysis.clustering.choices import explore_choices
    from analysis.clustering.evidence import SETTINGS, gather_evidence
    from analysis.clustering.lint import lint
    from analysis.clustering.solutions import compare_solutions
    from analysis.clustering.usefulness import prove, settle_split
    from analysis.customers.assembly import assemble
    from analysis.customers.cleaning import clean
    from analysis.features.build import build_features
    from analysis.features.column_summary import find_missing_together, summarise_columns
    from analysis.features.prepare import apply_steps, prepare
    from analysis.features.provenance import summarise_sources
    from analysis.features.relations import associate, correlate
    from analysis.features.select import settle_roles
    from analysis.history.records import mark_table, name_run, read_members, recall, write_history, write_members
    from analysis.manual.contents import read_manual
    from analysis.pages.book import write_pages
    from analysis.pages.downloads.briefs import ABSENT, installed
    from analysis.pages.notes import FOLDER, find_lost, read_notes
    from analysis.report.outputs import private_values, write_outputs
    from analysis.report.private import write_private
    from analysis.report.trials import read_validation
    from analysis.report.write import write_report
    from analysis.segments.card import Background, find_protected, write_card
    from analysis.segments.changes import look_back, make_record, measure
    from analysis.segments.personas import write_personas
    from analysis.segments.playbook import check_numbers, find_misspelt, read_playbook
    from analysis.segments.profile import expect_spend, profile_segments
    from analysis.segments.targeting import weigh_segments

    with stage("Join"):
        plays = read_playbook(root / "templates" / "playbook.yml")
        read_notes(root)
        reasons |= explain_columns(raws[0]) if draft else {}
        whole = assemble(raws, study)
        raw, source = whole.raw, whole.source
        split = settle_split(raws, study, whole.as_of)
    with stage("Clean"):
        cleaned = clean(raw, source, study, whole.as_of)
        sources = summarise_sources(raws, study, whole.joined, read)
        columns = summarise_columns(raw, cleaned, source, study.min_cell, reasons)
        missingness = find_missing_together(raw, source, study.min_cell)
    with stage("Build features"):
        table = build_features(cleaned, source, study, whole.described)
        check_features(study, table)
        check_numbers(plays, table.variables)
        protected = find_protected(study, source, cleaned, table)
        prepared = prepare(table, study)
        correlations, associations = correlate(table), associate(table, study.min_cell)
        table = settle_roles(table, prepared.dropped)
        features = apply_steps(table.frame, prepared.steps)
    with stage("Gather evidence") as tell:
        reduced = features if prepared.axes is not None else None
        evidence = run.cached(gather_evidence, "tick")(
            prepared.matrix, prepared.core, study.only(*SETTINGS), tell, reduced, prepared.feature_blocks(), effort
        )
    with stage("Compare choices"):
        names = tuple(variable.name for variable in prepared.columns())
        solutions = compare_solutions(evidence, prepared.matrix, features, names, study.min_cell, study.seed, effort)
        multiverse = explore_choices(table, prepared, study, evidence, run.cached(run_all), effort)
    findings = lint(study, raw, cleaned, table, prepared, evidence)
    warm_up("analysis.pages.drawings")
    with stage("Find rules"):
        rules = find_rules(table, prepared, evidence, study, cleaned, whole)
        model = make_model(study, raws, whole, cleaned, prepared, evidence, rules)
        questions = find_questions(table, prepared, evidence, rules, study, cleaned, model)
    with stage("Prove use"):
        proof = prove(raws, study, whole.as_of, split, table, evidence, effort)
    with stage("Profile segments"):
        profiles = profile_segments(
            table,
            evidence.labels,
            prepared.matrix if reduced is None else reduced,
            prepared.columns(),
            study,
            effort,
        )
    with stage("Compare with the last run"):
        as_of = cleaned.as_of.isoformat() if cleaned.as_of else ""
        there = [name for each in raws for name in each.frame.columns]
        read_from = mark_table(there, study.sources[0].key or study.sources[0].columns.customer, draft is not None)
        stem = name_run(study, [each.sha256 for each in raws], as_of)
        past = recall(root, study, synthetic, stem, as_of, read_from)
        measures = measure(table, features, prepared.steps, evidence.labels, profiles, study)
        then = read_members(root, past.compared()) if source.key else None
        looked = look_back(past, measures, table, evidence.labels, cleaned.keys, then, profiles, study, as_of)
        personas = write_personas(profiles, evidence.segments, table.variables, study, plays, looked.memory)
        run_record = make_record(past, looked, measures, personas, evidence, study, as_of, synthetic)
        card = write_card(
            study,
            cleaned,
            table,
            prepared,
            evidence.labels,
            profiles,
            personas,
            Background(protected, tuple((s.first, s.last) for s in sources), findings, synthetic, effort),
        )
        expected = whole.lifetime and expect_spend(whole.lifetime, cleaned.keys, evidence.labels, study.min_cell)
        report = write_report(
            study,
            sources,
            whole.ledger,
            cleaned,
            columns,
            missingness,
            correlations,
            associations,
            table,
            prepared,
            evidence,
            solutions,
            multiverse,
            profiles,
            personas,
            synthetic,
            findings,
            package_versions(),
            as_yaml(draft) if draft else "",
            rules,
            proof,
            card,
            expected,
            whole.rfm,
            read_validation(root),
            looked.change,
            questions,
            weigh_segments(profiles.segments, table.variables, rules, expected, study, looked.change),
        )
    with stage("Write pages"):
        files = write_outputs(root / "build", report, cleaned, evidence, model)
        write_private(root / "build", private_values(raw, cleaned, source, study))
        files += write_pages(report, root, run.cache, read_manual(app))
        files += write_history(root, run_record)
        write_members(root, run_record.stem, cleaned.keys, evidence.labels)
    names = sorted(file.relative_to(root).as_posix() for file in files)
    content = {
        "stamp": stamp,
        "history": mark_history(root),
        "data": raws[0].shown_path,
        "read": [
            file.resolve().relative_to(root.resolve()).as_posix()
            for path in paths
            if isinstance(path, Path)
            for file in files_at(path)
            if file.resolve().is_relative_to(root.resolve())
        ],
        "synthetic": synthetic,
        "files": names,
    }
    if run.cache is not None:
        run.cache.tidy()
    (root / "build" / "stamp.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    lost = find_lost(read_notes(root), [segment.slug for segment in report.segments])
    told = [*past.told, *looked.told]
    told += [f"{FOLDER}/{name}: no segment has this address; the note is kept and shown nowhere." for name in lost]
    told += find_misspelt(plays, [variable.name for variable in table.variables])
    return Built(raws[0].shown_path, synthetic, fresh=True, told=(*told, *(() if installed() else (ABSENT,))))


def _locate(root: Path, study: Study, data: Path | str | None, demo: bool) -> tuple[list[Location], bool]:
    def has_real_run() -> bool:
        from analysis.history.records import knows_real_run

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
        if "://" not in path:
            files += files_at(folder / Path(path).expanduser())
    return files
