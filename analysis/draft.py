"""Settings for a table that the study does not know: drafted from the evidence, to be read and changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from analysis.columns import split_words
from analysis.config import Study
from analysis.inference import InferredColumn, infer_kind, infer_roles, label_of
from analysis.sources import RawTable

KNOWN = 0.8
"""Share of the columns that the settings name from which a file counts as the study's own."""


def is_known(raw: RawTable, study: Study) -> bool:
    """Whether the study's settings are about this table.

    Parameters
    ----------
    raw : RawTable
    study : Study
        The columns of its first source, and of the formulas, are looked for.
    """
    there = set(raw.frame.columns)
    named = set(study.sources[0].named_columns())
    return not named or len(named & there) >= KNOWN * len(named)


def draft_settings(raw: RawTable, path: str) -> dict[str, Any]:
    """Draft the ``segmentation:`` block of an unknown table.

    Parameters
    ----------
    raw : RawTable
    path : str
        As it should stand in the settings.

    Returns
    -------
    dict
        Ready for YAML; every column has a role.
    """
    kind = infer_kind(raw).kind
    columns = infer_roles(raw)
    roles: dict[str, list[str]] = {"feature": [], "descriptor": [], "outcome": [], "ignore": []}
    for column in columns:
        if column.role in roles:
            roles[column.role].append(column.name)
        elif column.role != "key":
            roles["ignore"].append(column.name)
    source: dict[str, Any] = {"path": path, "kind": kind}
    if kind in {"transactions", "events"}:
        title = label_of(Path(path).name.split(".")[0])
        source["columns"] = _row_columns(columns)
        return {"title": title, **({"value": "spend"} if kind == "transactions" else {}), "sources": [source]}
    key = next((column.name for column in columns if column.role == "key"), None)
    if key:
        source["key"] = key
    source["roles"] = {role: names for role, names in roles.items() if names}
    source["labels"] = {column.name: column.label for column in columns if column.name != column.label}
    source["units"] = {column.name: column.unit for column in columns if _states_unit(column)}
    block: dict[str, Any] = {"title": label_of(Path(path).name.split(".")[0])}
    value = _value(columns)
    if value:
        block["value"] = value
    yes_no = {column.name for column in columns if column.unit == "yes_no"}
    if roles["feature"] and set(roles["feature"]) <= yes_no:
        block["scaling"] = "none"
    return block | {"sources": [{name: part for name, part in source.items() if part}]}


def as_yaml(block: dict[str, Any]) -> str:
    """The block as text to paste into ``_quarto.yml``."""
    return yaml.safe_dump({"segmentation": block}, sort_keys=False, allow_unicode=True, width=100)


def explain_columns(raw: RawTable) -> dict[str, str]:
    """Why each column has its role, by name."""
    return {column.name: column.why for column in infer_roles(raw)}


def _row_columns(columns: tuple[InferredColumn, ...]) -> dict[str, str]:
    """Which column of transactions or events says what: one each, the first that fits."""
    found: dict[str, str] = {}
    for column in columns:
        words = set(split_words(column.name.lower()))
        part = column.role if column.role in {"customer", "date", "amount"} else None
        if part is None and column.unit == "count" and not column.name.startswith("column_"):
            part = "quantity"
        for hint in ("order", "session", "event", "channel", "category"):
            if part is None and hint in words:
                part = hint
        if part:
            found.setdefault(part, column.name)
    return found


def _states_unit(column: InferredColumn) -> bool:
    return column.unit not in {"", "number"} and column.role in {"feature", "descriptor", "outcome"}


def _value(columns: tuple[InferredColumn, ...]) -> str | None:
    """The one feature that is money; with several, which of them is a customer's worth is not for us to say."""
    money = [column.name for column in columns if column.role == "feature" and column.unit == "money"]
    return money[0] if len(money) == 1 else None
