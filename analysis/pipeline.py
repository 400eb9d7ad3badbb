"""The method from tables to pages, top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.assignment.methods import find_assignment
from analysis.assignment.rounding import assign_by_rule
from analysis.base import workers
from analysis.base.run import Run
from analysis.clustering.judgement import compare_choices, judge_segments, refuse_small_segments
from analysis.clustering.shapes import settle_verdict
from analysis.clustering.use.aims import settle_aim
from analysis.clustering.use.tiers import check_tiers, find_tiers
from analysis.clustering.usefulness import prove, settle_split
from analysis.customers.periods import settle_date
from analysis.features.preparation import prepare_customers
from analysis.features.summary import summarise_data
from analysis.pages.notes import explain_lost, read_notes
from analysis.past.archive import list_records, read_members, recall, write_history, write_members
from analysis.past.records import Past, mark_table, name_run
from analysis.report.analysis import Analysis
from analysis.report.model import Report
from analysis.report.outputs import private_values, write_outputs
from analysis.report.private import private_from_build, write_private
from analysis.report.release import FILE as CUSTOMERS
from analysis.report.release import guard, mark_customers, write_customers
from analysis.report.write import Tool, write_report
from analysis.segments.card import Background, find_protected
from analysis.segments.description import describe_segments
from analysis.segments.plans.playbook import Play, check_numbers, find_misspelt, read_playbook
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs
from analysis.sources.locate import files_at


@dataclass(frozen=True, slots=True)
class Written:
    """What a run wrote: the files of its build, what the user should know, and notes of segments that are gone."""

    files: tuple[Path, ...]
    messages: tuple[str, ...]
    lost: tuple[str, ...]


def analyse(inputs: Inputs, study: Study, plays: list[tuple[int, Play]], past: Past, run: Run) -> Analysis:
    """Turn tables into segments, and into what can be said of them.

    Parameters
    ----------
    inputs : Inputs
        Tables as read.
    study : Study
        Complete settings.
    plays : list of (int, Play)
        Rules of the playbook.
    past : Past
        Earlier runs of the study.
    run : Run

    Raises
    ------
    InputError
        For data or settings that cannot be used.
    """
    split = settle_split(inputs, study)
    features = prepare_customers(inputs, study, run)
    check_numbers(plays, features.table.variables)
    protected = find_protected(study, features.customers.source, features.customers.cleaned, features.table)
    data = summarise_data(features, study, run)
    check_tiers(features.table, study)
    aim = settle_aim(inputs, study, split, features, run)
    # This process waits for others then, so what writes pages is imported meanwhile.
    workers.import_meanwhile("analysis.pages.book", "analysis.manual.contents", "statsmodels.stats.power")
    evidence = assign_by_rule(features, judge_segments(features, study, run, aim), study)
    refuse_small_segments(evidence, study)
    robustness = compare_choices(features, evidence, study, run)
    evidence = settle_verdict(evidence, robustness.shapes)
    assignment = find_assignment(features, evidence, study, run)
    keys, sampled = features.customers.cleaned.keys, features.customers.population is not None
    usefulness = prove(inputs, study, split, features.table, evidence, run, keys, sampled)
    months = tuple((source.first, source.last) for source in data.sources)
    n_all = features.customers.n if sampled else 0
    background = Background(protected, months, robustness.findings, inputs.synthetic, run.effort, n_all)
    segments = describe_segments(features, evidence, assignment, study, plays, past, background, run)
    customers = features.customers
    tiers = find_tiers(features.table, evidence.labels, study)
    return Analysis(
        study, inputs, customers, features, data, evidence, robustness, assignment, usefulness, segments, tiers
    )


def make_pages(
    root: Path,
    inputs: Inputs,
    study: Study,
    tool: Tool,
    read_manual: Callable[[], dict[str, Any]],
    run: Run,
    before: Callable[[], None] = lambda: None,
) -> Written:
    """Analyse tables and write everything that the project keeps of it.

    Parameters
    ----------
    root : Path
        Project folder, with playbook, notes and history.
    inputs : Inputs
    study : Study
    tool : Tool
    read_manual : callable
        Returns what the pages about the tool print.
    run : Run
    before : callable, optional
        Called once all is computed, before the first file of the last build is replaced.
    """
    plays = read_playbook(root / "templates" / "playbook.yml")
    notes = read_notes(root)
    past = _recall(root, inputs, study)
    analysis = analyse(inputs, study, plays, past, run)
    report = write_report(analysis, tool)
    from analysis.pages import book

    manual = read_manual()
    source, cleaned = analysis.customers.source, analysis.customers.cleaned
    customers = mark_customers(cleaned.keys if source.key else None, cleaned.frame)
    guarded = guard(root / "build", report, customers, bool(past.compared()))
    last = guarded.last
    before()
    with run.stage("Write pages"):
        files = _write(root, analysis, report) if last is None else _keep(root, analysis)
        files.append(write_customers(root / "build", customers) if last is None else root / "build" / CUSTOMERS)
        files += book.write_pages(last or report, root, run.cache, manual)
        files += write_history(root, analysis.segments.record) if last is None else list_records(root)
    report = last or report
    messages = [
        *filter(None, (guarded.message,)),
        *analysis.segments.messages,
        *find_misspelt(plays, [variable.name for variable in analysis.features.table.variables]),
    ]
    return Written(tuple(files), tuple(messages), explain_lost(notes, report))


def _recall(root: Path, inputs: Inputs, study: Study) -> Past:
    """Find earlier runs of the study, and who was in which segment in the one to compare with."""
    date = settle_date(inputs.tables, study)
    as_of = date.isoformat() if date else ""
    names = [name for table in inputs.tables for name in table.frame.columns]
    key = study.sources[0].key or study.sources[0].columns.customer
    stem = name_run(study, [table.sha256 for table in inputs.tables], as_of)
    past = recall(root, study, inputs.synthetic, stem, as_of, mark_table(names, key, bool(inputs.draft)))
    return replace(past, members=read_members(root, past.compared()))


def _keep(root: Path, analysis: Analysis) -> list[Path]:
    """Keep the results of the last build; the list of private values covers its customers and today's."""
    build, customers = root / "build", analysis.customers
    private = private_values(customers.assembled.raw, customers.cleaned, customers.source, analysis.study)
    written = write_private(build, private.joined(private_from_build(build)))
    members = files_at(build / "memberships.parquet")
    return [build / "report.json", *members, build / "model.json", written]


def _write(root: Path, analysis: Analysis, report: Report) -> list[Path]:
    """Write the report and the private files; the list has those that make a build complete."""
    customers, labels = analysis.customers, analysis.evidence.labels
    private = private_values(customers.assembled.raw, customers.cleaned, customers.source, analysis.study)
    files = write_outputs(root / "build", report, analysis)
    files.append(write_private(root / "build", private))
    files.append(write_members(root, analysis.segments.record.stem, customers.cleaned.keys, labels))
    return files
