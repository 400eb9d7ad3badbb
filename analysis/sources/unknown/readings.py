"""How an unknown table was read, and questions where its values leave a choice."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.base.errors import InputError
from analysis.settings.sources import ROW_KINDS
from analysis.sources.draft import draft_settings
from analysis.sources.evidence.exports import find_export
from analysis.sources.inference import infer_kind, infer_roles
from analysis.sources.readers.delimited import Reading
from analysis.sources.tables import LoadedTable, RawTable, load_table, type_table
from analysis.sources.unknown.questions import Question, find_questions, find_rows_to_leave_out


@dataclass(frozen=True, slots=True)
class UnknownTable:
    """An unknown table without the rows that stand for no customer, and what its values leave open.

    Attributes
    ----------
    raw : RawTable
    leave_out : dict of str to tuple of str
        Values by column whose rows were left out.
    questions : tuple of Question
    """

    raw: RawTable
    leave_out: dict[str, tuple[str, ...]]
    questions: tuple[Question, ...]

    def draft(self, path: str) -> dict[str, Any]:
        """Draft the ``segmentation:`` block, with ``path`` as it should stand there."""
        block = draft_settings(self.raw, path)
        export = find_export(self.raw.frame.columns)
        if export and export.types:
            block["sources"][0]["types"] = dict(export.types)
        if self.leave_out:
            block["sources"][0]["leave_out"] = {name: list(values) for name, values in self.leave_out.items()}
        return block

    def check(self) -> None:
        """Raise InputError with the readings of each question, if there is one."""
        if self.questions:
            texts = [_ask(question, self.raw.shown_path) for question in self.questions]
            first, *others = texts
            raise InputError(first, *(["\n  ".join(others)] if others else []))


def read_unknown(path: str | Path, root: Path, setting: str, sample: LoadedTable | None = None) -> UnknownTable:
    """Read a table that no settings describe.

    Rows of guests, tests and cancelled orders are left out.

    Parameters
    ----------
    path : str or Path
    root : Path
    setting : str
        Place that messages name.
    sample : LoadedTable, optional
        Rows of the table that stand for it.

    Raises
    ------
    InputError
        As `read_table`.
    """
    reading = Reading(setting=setting)
    loaded = load_table(path, root=root, reading=reading) if sample is None else sample
    raw = type_table(loaded, reading=reading)
    export, leave_out = find_export(raw.frame.columns), find_rows_to_leave_out(raw)
    types = dict(export.types) if export else {}
    if leave_out or types:
        raw = type_table(loaded, reading=replace(reading, leave_out=leave_out, types=types))
    return UnknownTable(raw, leave_out, find_questions(raw))


def _ask(question: Question, shown: str) -> str:
    """Write a question with the lines of YAML that answer it."""
    lines = [f"{shown}: {question.what}", "Set one of these in _quarto.yml, under segmentation.sources[0]:"]
    for choice in question.readings:
        lines += [f"- {choice.reading}:", *(f"    {line}" for line in choice.yaml.splitlines())]
    return "\n  ".join(lines)


def describe_reading(path: str | Path, root: Path, setting: str = "init") -> dict[str, Any]:
    """Describe for programs how a table was read.

    Parameters
    ----------
    path : str or Path
    root : Path
    setting : str
        Place that messages name.

    Returns
    -------
    dict
        ``table`` (customers, transactions, events, survey, sessions, subscriptions or panel), ``n_rows``,
        ``n_customers``, the columns ``key``, ``customer``, ``date``, ``amount`` and ``value``, each or None,
        ``columns``, ``dropped_rows`` with the reason of each, ``leave_out`` with the values whose rows are left out,
        ``notes``, and ``asked``. Where nothing can be read, ``asked`` holds the message alone.
    """
    try:
        table = read_unknown(path, root, setting)
    except InputError as error:
        unknown = dict.fromkeys(("table", "n_rows", "n_customers", "key", "customer", "date", "amount", "value"))
        return {
            **unknown,
            "columns": [],
            "dropped_rows": [],
            "leave_out": {},
            "notes": [],
            "asked": [{"what": str(error), "readings": []}],
        }
    return describe_table(table)


def print_reading(path: str, root: Path) -> int:
    """Print the reading of a table as JSON, and return the exit code: 2 where the table leaves a choice."""
    reading = describe_reading(path, root)
    print(json.dumps(reading, ensure_ascii=False, indent=1))
    return InputError.exit_code if reading["asked"] else 0


def describe_table(table: UnknownTable) -> dict[str, Any]:
    """Describe a table that was read, as `describe_reading` does."""
    raw = table.raw
    kind = infer_kind(raw).kind
    columns = infer_roles(raw)
    of_role = {role: next((c.name for c in columns if c.role == role), None) for role in ("key", "customer", "amount")}
    rows = kind in ROW_KINDS
    date = next((c.name for c in columns if c.role == "date"), None)
    customer = of_role["customer"]
    n_customers = raw.n_rows
    if rows and customer:
        n_customers = raw.column(customer).n_distinct
    elif not rows and of_role["key"]:
        n_customers = int(raw.frame[of_role["key"]].nunique())
    draft, export = table.draft(raw.shown_path), find_export(raw.frame.columns)
    return {
        "table": kind,
        "n_rows": raw.n_rows,
        "n_customers": n_customers,
        "key": of_role["key"] if not rows else None,
        "customer": customer,
        "date": date,
        "amount": export.amount() if export else of_role["amount"],
        "value": draft.get("value"),
        "customers": draft.get("customers", "customers"),
        "columns": [
            {
                "name": column.name,
                "role": column.role,
                "type": column.type,
                "unit": column.unit,
                "scale": _scale(raw.frame[column.name]),
                "forms": column.role == "feature" and not rows,
                "example_form": _example_form(raw.frame[column.name]),
                "why": f"{column.why} ({raw.column(column.name).note})",
            }
            for column in columns
        ],
        "dropped_rows": list(raw.dropped),
        "leave_out": {name: list(values) for name, values in table.leave_out.items()},
        "notes": list(raw.notes),
        "asked": [asdict(question) for question in table.questions],
    }


def _scale(values: pd.Series) -> list[Any] | None:
    """Return the lowest and the highest number or date; None for words."""
    present: Any = values.dropna()
    if present.empty:
        return None
    if pd.api.types.is_datetime64_any_dtype(present.dtype):
        return [present.min().isoformat(), present.max().isoformat()]
    if present.dtype in (np.int64, np.float64):
        return [present.min().item(), present.max().item()]
    return None


def _example_form(values: pd.Series) -> str:
    """Mask the first value: digits become 9, letters a or A."""
    present = values.dropna()
    text = str(present.iloc[0])[:40] if len(present) else ""
    text = re.sub(r"\d", "9", text)
    return re.sub(r"[^\W\d_]", lambda match: "A" if match[0].isupper() else "a", text)
