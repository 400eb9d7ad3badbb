"""Commands that send segments out and bring results back: export, test and measure."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from analysis.base.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.experiments.audience import Audience
    from analysis.experiments.records import Experiment
    from analysis.settings.models import Study

SHARE = typer.Option(min=0.01, max=0.99, help="Share of customers to hold back as a control group; needs --test.")


def add_commands(app: typer.Typer) -> tuple[Callable[..., Any], ...]:
    """Add the commands to the tool's own."""
    examples = {
        export: "export --segment B --with email --to exports/b.csv",
        test: "test plan spring --action B.campaign --kpi ordered --write",
        measure: "measure spring --outcomes data/results.csv",
    }
    return tuple(app.command(epilog=f"Example: python -m analysis {text}")(run) for run, text in examples.items())


def export(
    segment: Annotated[
        list[str] | None,
        typer.Option(
            "--segment", "--action", help="Segment by letter, name or address, or an action such as B.campaign."
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Export all segments.")] = False,
    holdout: Annotated[float | None, SHARE] = None,
    test: Annotated[str, typer.Option(help="Name of the test that the groups belong to.")] = "",
    contacts: Annotated[
        str, typer.Option("--with", help="Columns of the customer source to add, separated by commas.")
    ] = "",
    tool: Annotated[
        str, typer.Option("--for", help="Importer to write for: klaviyo, mailchimp, hubspot, meta or google.")
    ] = "",
    to: Annotated[
        str, typer.Option("--to", "--out", help="CSV, Parquet or Excel file, or address of a database.")
    ] = "",
    table: Annotated[str, typer.Option(help="Table of the database.")] = "segments",
) -> None:
    """Export the customers of segments who may be contacted.

    Files go to exports/, which git ignores, and only you can read them. Customers
    without consent or on the suppression list are left out and counted. With
    --holdout and --test, each customer is in the treatment or the control group.
    """
    from analysis.experiments import database
    from analysis.experiments.files import check_target, write_private_table
    from analysis.experiments.planning import leave_out_running

    root = Path.cwd()
    kept = _find_test(root, test, holdout)
    if kept and not segment and not everyone:
        segment = list(kept.segments)
    audience, letters = _gather(root, segment or [], everyone, contacts, tool)
    if kept or holdout is not None:
        audience = _divide(root, audience, test, holdout, kept)
    audience = leave_out_running(root, audience, test, held_only=True)
    name = f"exports/{test or ('everyone' if everyone else '-'.join(letters))}{f'-{tool}' if tool else ''}.csv"
    target, lines = to or name, []
    result = audience.table.drop(columns="slug")
    if tool:
        result, lines = _arrange(audience, contacts, tool)
    if "://" in target:
        if tool:
            raise InputError("--for and a database do not go together.", "Importers read files.", "Omit one of them.")
        inserted, updated = database.write_back(result, audience.removed, target, table, root)
        print(f"{len(result):,} customers written to table {table}: {inserted:,} new, {updated:,} updated.")
    else:
        file = root / target
        check_target(root, file, len(result))
        write_private_table(result, file)
        print(f"{len(result):,} customers written to {os.path.relpath(file)}: {', '.join(map(str, result))}.")
    for line in (*lines, *_explain(audience)):
        print(line)


def test(
    step: Annotated[Literal["plan", "start", "status", "stop"], typer.Argument(help="What to do with the test.")],
    name: Annotated[str, typer.Argument(help="Name of the test.")] = "",
    segment: Annotated[
        list[str] | None,
        typer.Option("--action", "--segment", help="Action to test, such as B.campaign, or segments."),
    ] = None,
    kpi: Annotated[
        str, typer.Option(help="ordered, orders, spend; visited, visits; or the name of an outcome in a file.")
    ] = "ordered",
    holdout: Annotated[float, typer.Option(min=0.01, max=0.99, help="Share of customers to hold back.")] = 0.5,
    days: Annotated[int | None, typer.Option(min=1, max=1000, help="Length; by default that of the plan.")] = None,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; by default that after the data's date.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Do it; without this, only show what would be done.")] = False,
) -> None:
    """Plan, start, list or stop a test of an action.

    A test is a file in experiments/ without customers; who is in which group stays
    in build/. Without --write, nothing is changed. A customer is in one running
    test at most. With an action or segments, start plans the test as well.
    """
    from analysis.experiments.planning import describe_state, read_date
    from analysis.experiments.records import find_experiment, read_experiments, write_experiment

    root, design = Path.cwd(), (kpi, holdout, days, start.date() if start else None)
    if step == "status":
        tests = [find_experiment(root, name)] if name else read_experiments(root)
        print("\n".join(describe_state(tests, read_date(root))))
        return
    if step == "stop":
        found = find_experiment(root, name)
        if found.status != "running":
            raise InputError(
                f"Test '{name}' is {found.status}, not running.", hint="See: python -m analysis test status"
            )
        print(f"{name} ends without a result: an effect is measured once, at the planned end.")
        done = replace(found, status="stopped")
    elif step == "plan":
        done = _plan(root, name, segment or [], design)
    else:
        planned = _plan(root, name, segment, design) if segment else find_experiment(root, name)
        done = _start(root, planned, start.date() if start else None, write)
    if write:
        print(f"{os.path.relpath(write_experiment(root, done))} written.")
    else:
        print("Nothing was written. To do this, add --write.")


def _plan(
    root: Path, name: str, segments: list[str], design: tuple[str, float, int | None, dt.date | None]
) -> Experiment:
    """Plan a test and print what it will be."""
    from analysis.base.formats import short_percentage
    from analysis.experiments.audience import choose_segments, read_members, split_action
    from analysis.experiments.outcomes import KINDS
    from analysis.experiments.planning import Action, find_action, leave_out_running, plan_test, read_date
    from analysis.experiments.statistics import POWERED
    from analysis.segments.plans.experiments import detectable
    from analysis.settings.load import load_study

    kpi, holdout, days, start = design
    action, act = "", Action()
    audience, letters = _gather(root, segments, False, "", "")
    for each in segments:
        if "." in each and _segment_of(each) != each:
            letter, slot = choose_segments(read_members(root), [split_action(each)[0]])[0], split_action(each)[1]
            action, act = f"{letter}.{slot}", find_action(root, letter, slot)
    audience = leave_out_running(root, audience)
    as_of = read_date(root)
    if start is None and not as_of:
        raise InputError("The data have no date, so the test has no first day.", hint="Give it: --start 2026-01-31")
    first = start or dt.date.fromisoformat(as_of) + dt.timedelta(days=1)
    planned = plan_test(root, name, action, act, audience, (kpi, holdout, days or act.days, first))
    if (kpi in KINDS and kpi != "ordered") or act.baseline is None:
        size = POWERED * (1 / planned.planned[0] + 1 / planned.planned[1]) ** 0.5
        detects = f"a difference of {size:.2g} standard deviations"
    else:
        found = detectable(act.baseline, *planned.planned, act.better)
        detects = (
            f"{short_percentage(act.baseline)} to {short_percentage(found)}" if found else "only a change for the worse"
        )
    planned = replace(planned, detects=detects, study=load_study(root).title)
    print(f"{name}: {planned.title.rstrip('.')}. {planned.hypothesis}")
    print(f"Segments {', '.join(letters)}, {planned.start} to {planned.stop}. KPI: {kpi}.")
    print("About {:,} get it, about {:,} are held back.".format(*planned.planned), f"The test detects {detects}.")
    print("\n".join(_explain(audience)), end="\n" if audience.left_out else "")
    return planned


def _start(root: Path, found: Experiment, start: dt.date | None, write: bool) -> Experiment:
    """Allocate the customers of a planned test and print how balanced the groups are."""
    from analysis.experiments.audience import read_customers
    from analysis.experiments.planning import begin, describe_balance, draw, leave_out_running
    from analysis.experiments.records import keep_groups

    name = found.name
    if found.status != "planned":
        begin(found, None, start)
    audience = leave_out_running(root, _gather(root, list(found.segments), False, "", "")[0], name)
    groups = draw(name, found.holdout, audience)
    begun = begin(found, groups, start)
    features = audience.table[["confidence"]]
    study = _study_of_build(root)
    if any(source.key and source.kind in ("customers", "survey") for source in study.sources):
        customers = read_customers(root, study, _locate(root, study))[1].select_dtypes("number")
        features = features.join(customers.reindex(audience.table["key"]).reset_index(drop=True))
    print(f"{name}: {begun.start} to {begun.stop}. About {begun.planned[0]:,} treatment, {begun.planned[1]:,} control.")
    print("\n".join([*describe_balance(groups, features), *_explain(audience)]))
    return keep_groups(root, begun, groups) if write else begun


def measure(
    name: Annotated[str, typer.Argument(help="Name of the test; by default all that are running.")] = "",
    outcomes: Annotated[
        str, typer.Option(help="File or database with the outcome of each customer; by default the transactions.")
    ] = "",
    demo: Annotated[bool, typer.Option("--demo", help="Make up outcomes at the synthetic retailer.")] = False,
) -> None:
    """Measure tests whose window has ended.

    Every customer counts in the group that was drawn, contacted or not. Before the
    planned end no effect is shown. The rounded results go to experiments/NAME.yml,
    which the pages read.
    """
    from analysis.experiments.closing import measure_file, measure_running
    from analysis.experiments.records import find_experiment, read_experiments
    from analysis.report.lessons import describe_measured

    root = Path.cwd()
    study = _study_of_build(root)
    chosen = [find_experiment(root, name)] if name else [t for t in read_experiments(root) if t.status == "running"]
    if not chosen:
        raise InputError("No test is running.", hint="See: python -m analysis test status")
    if (outcomes or demo) and not name:
        option, rest = ("--demo", "") if demo else ("--outcomes", " results.csv")
        raise InputError(f"{option} needs the name of a test.", hint=f"Example: measure spring {option}{rest}")
    if demo:
        outcomes = _play(root, chosen[0], study, outcomes)
    if outcomes:
        lines = [measure_file(root, chosen[0], outcomes, study)]
    else:
        lines = measure_running(root, chosen, study, _locate(root, study))
    print("\n".join(lines))
    for line in describe_measured(root, study, [test.name for test in chosen]):
        print(line)


def _play(root: Path, test: Experiment, study: Study, outcomes: str) -> str:
    """Make up the outcomes of a test at the synthetic retailer, and return their file."""
    from analysis.experiments.allocation import TREATMENT
    from analysis.experiments.audience import was_synthetic
    from analysis.experiments.files import write_private_file
    from analysis.experiments.records import read_groups
    from analysis.sources.synthetic.campaign import play_campaign

    if outcomes:
        raise InputError("--demo and --outcomes do not go together.", hint="Omit one of them.")
    if not was_synthetic(root) or study.demo != "retailer" or test.kpi != "orders":
        raise InputError(
            f"--demo: no outcome of test '{test.name}' can be made up.",
            "Expected a test of the KPI orders, and a build from the synthetic retailer.",
            "See the profile loop: QUARTO_PROFILE=loop python -m analysis build",
        )
    start, stop = dt.date.fromisoformat(test.start), dt.date.fromisoformat(test.stop)
    table = play_campaign(root / "build/demo/retailer", read_groups(root, test), start, stop, TREATMENT)
    file = f"build/demo/{test.name}.csv"
    write_private_file(root / file, lambda to: table.to_csv(to, index=False, lineterminator="\n"))
    print(f"Outcomes of {len(table):,} customers are made up: {file}.")
    return file


def _gather(root: Path, names: list[str], everyone: bool, contacts: str, tool: str) -> tuple[Audience, list[str]]:
    """Choose the customers who may leave, with their contact data where they are asked for."""
    from analysis.experiments import audience as audiences
    from analysis.experiments.importers import check_importer, find_contacts
    from analysis.experiments.permissions import needs_source, read_permissions

    if bool(names) == everyone:
        raise InputError(
            "Which segments?" if not names else "--all already means every segment.",
            "Expected --segment B, --action B.campaign or --all.",
            "Give one of them.",
        )
    importer = check_importer(tool) if tool else None
    members = audiences.read_members(root)
    wanted = sorted(set(members["segment"])) if everyone else [_segment_of(name) for name in names]
    letters = audiences.choose_segments(members, wanted)
    study = _study_of_build(root)
    customers: pd.DataFrame | None = None
    columns = [column.strip() for column in contacts.split(",") if column.strip()]
    if columns or importer or needs_source(root, study):
        customers = audiences.read_customers(root, study, _locate(root, study))[1]
    permissions = read_permissions(root, study, customers, members["key"])
    chosen = audiences.select_audience(members, letters, permissions)
    if importer and customers is not None and not columns:
        found = find_contacts(customers.columns)
        # Names and places leave only where they are asked for.
        columns = [column for kind, column in found.items() if kind in importer.headers and kind in ("email", "phone")]
    return (audiences.add_contacts(chosen, customers, columns) if customers is not None else chosen), letters


def _segment_of(name: str) -> str:
    from analysis.experiments.audience import SLOTS, split_action

    return split_action(name)[0] if name.rpartition(".")[2].casefold() in SLOTS or "." in name[1:2] else name


def _study_of_build(root: Path) -> Study:
    """Return the settings, with the sources as the last build completed them."""
    from analysis.experiments.audience import read_sources
    from analysis.settings.load import load_study

    return load_study(root).model_copy(update={"sources": read_sources(root)})


def _locate(root: Path, study: Study) -> list[Any]:
    from analysis.experiments.audience import was_synthetic
    from analysis.sources.locate import locate

    return locate(root, study, os.environ.get("SEGMENTATION_DATA") or None, was_synthetic(root), lambda: True)[0]


def _find_test(root: Path, name: str, holdout: float | None) -> Experiment | None:
    """Return the test that an export is for; None for groups of a test that is not kept.

    Raises
    ------
    InputError
        Where the test is not running, or a share without a name is to be held back.
    """
    from analysis.experiments.records import read_experiments

    kept = next((each for each in read_experiments(root) if each.name == name), None) if name else None
    if kept is None and (holdout is not None) != bool(name):
        raise InputError(
            "--holdout and --test belong together.",
            "The groups depend on the name of the test.",
            "Give both: --holdout 0.5 --test spring",
        )
    if kept and kept.status != "running":
        raise InputError(
            f"Test '{name}' is {kept.status}, not running.",
            hint=f"Start it: python -m analysis test start {name} --write",
        )
    if kept and holdout not in (None, kept.holdout):
        raise InputError(f"--holdout {holdout}: test '{name}' holds back {kept.holdout}.", hint="Omit --holdout.")
    return kept


def _divide(root: Path, audience: Audience, test: str, holdout: float | None, kept: Experiment | None) -> Audience:
    from analysis.experiments.allocation import allocate
    from analysis.experiments.records import read_groups

    if kept is None:
        return audience.with_columns({"group": allocate(test, audience.table["key"], holdout or 0.5)})
    groups = read_groups(root, kept).set_index("key")["group"]
    audience = audience.without(~audience.table["key"].isin(groups.index), f"not in test {test}")
    return audience.with_columns({"group": groups.reindex(audience.table["key"]).to_numpy()})


def _arrange(audience: Audience, contacts: str, tool: str) -> tuple[pd.DataFrame, list[str]]:
    """Write the audience as an importer reads it; customers of the control group must not be contacted and stay out."""
    from analysis.experiments.allocation import CONTROL
    from analysis.experiments.importers import IMPORTERS, arrange, find_contacts

    table, lines = audience.table, []
    found = find_contacts(table.columns)
    if not {"email", "phone"} & set(found):
        raise InputError(
            f"--for {tool}: no column holds e-mail addresses or telephone numbers.",
            f"Columns considered: {contacts or 'all of the customer source, by their names'}.",
            "Name the column with --with, or rename it to email or phone.",
        )
    if "group" in table.columns:
        held = table["group"] == CONTROL
        lines.append(f"{int(held.sum()):,} customers of the control group are not in the file.")
        table = table[~held]
    result, unreachable = arrange(table, found, IMPORTERS[tool])
    if unreachable:
        lines.append(f"{unreachable:,} customers have no usable e-mail address or telephone number.")
    return result, lines


def _explain(audience: Audience) -> list[str]:
    """Say how many customers were left out and why, and how large the groups are."""
    lines = [f"Left out: {n:,} {reason}." for reason, n in audience.left_out.items()]
    if "group" in audience.table.columns:
        counts = audience.table["group"].value_counts()
        lines.append("Groups: " + ", ".join(f"{counts.get(g, 0):,} {g}" for g in ("treatment", "control")) + ".")
    return lines
