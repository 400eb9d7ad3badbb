"""Commands that send segments out and bring results back: export."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.base.errors import InputError
from analysis.settings.load import load_study
from analysis.settings.models import Study

if TYPE_CHECKING:
    import pandas as pd

    from analysis.experiments.audience import Audience

SHARE = typer.Option(min=0.01, max=0.99, help="Share of customers to hold back as a control group; needs --test.")


def add_commands(app: typer.Typer) -> tuple[Callable[..., Any], ...]:
    """Add the commands to the tool's own."""
    example = "Example: python -m analysis export --segment B --with email --to exports/b.csv"
    return (app.command(epilog=example)(export),)


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

    root = Path.cwd()
    audience, letters = _gather(root, segment or [], everyone, contacts, tool)
    if (holdout is not None) != bool(test):
        raise InputError(
            "--holdout and --test belong together.",
            "The groups depend on the name of the test.",
            "Give both: --holdout 0.5 --test spring",
        )
    if holdout is not None:
        audience = _divide(audience, test, holdout)
    name = f"exports/{test or ('everyone' if everyone else '-'.join(letters))}{f'-{tool}' if tool else ''}.csv"
    target, lines = to or name, []
    result = audience.table
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

    return load_study(root).model_copy(update={"sources": read_sources(root)})


def _locate(root: Path, study: Study) -> list[Any]:
    from analysis.experiments.audience import was_synthetic
    from analysis.sources.locate import locate

    return locate(root, study, os.environ.get("SEGMENTATION_DATA") or None, was_synthetic(root), lambda: True)[0]


def _divide(audience: Audience, test: str, holdout: float) -> Audience:
    from analysis.experiments.allocation import allocate

    return audience.with_columns({"group": allocate(test, audience.table["key"], holdout)})


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
