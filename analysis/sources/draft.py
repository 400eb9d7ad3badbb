"""Draft settings for unknown tables, and defaults for incomplete settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml

from analysis.base.errors import InputError, listed
from analysis.base.expressions import parse
from analysis.settings.models import Study
from analysis.settings.sources import ROW_KINDS, Role, Roles, RowColumns, Source
from analysis.sources.evidence.exports import find_export
from analysis.sources.evidence.roles import row_candidates
from analysis.sources.evidence.spans import find_measures, name_columns, recognise_spans
from analysis.sources.evidence.units import names_value
from analysis.sources.inference import (
    InferredColumn,
    infer_kind,
    infer_people,
    infer_roles,
    key_candidates,
    label_of,
)
from analysis.sources.names import is_identifier, split_words, words_of
from analysis.sources.tables import RawTable

KNOWN = 0.8
"""Share of the columns that the settings name from which a file counts as the study's own."""


def is_known(raw: RawTable, study: Study) -> bool:
    """Return whether the settings of the study fit this table.

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
    export = find_export(raw.frame.columns)
    roles: dict[str, list[str]] = {"feature": [], "descriptor": [], "outcome": [], "ignore": []}
    for column in columns:
        if column.role in roles:
            roles[column.role].append(column.name)
        elif column.role not in ("key", "weight"):
            roles["ignore"].append(column.name)
    source: dict[str, Any] = {"path": path, "kind": kind}
    people = infer_people(raw)
    block: dict[str, Any] = {"title": label_of(Path(path).name.split(".")[0])}
    if people != "customers":
        block["customers"] = people
    if kind in ROW_KINDS:
        spans = None if export else recognise_spans(raw)
        source["columns"] = dict(export.columns) if export else spans.columns if spans else _row_columns(columns)
        if spans:
            source |= {name: list(names) for name in ("totals", "balances") if (names := getattr(spans, name))}
        value = "spend" if kind == "transactions" else spans.value if spans else None
        return block | ({"value": value} if value else {}) | {"sources": [source]}
    key = next((column.name for column in columns if column.role == "key"), None)
    if key:
        source["key"] = key
    if weight := next((column.name for column in columns if column.role == "weight"), None):
        source["weight"] = weight
    source["roles"] = {role: names for role, names in roles.items() if names}
    source["labels"] = {column.name: column.label for column in columns if column.name != column.label}
    known = dict(export.units) if export else {}
    source["units"] = {column.name: column.unit for column in columns if _states_unit(column)} | known
    value = export.value if export else _value(columns)
    if value:
        block["value"] = value
    yes_no = {column.name for column in columns if column.unit == "yes_no"}
    if roles["feature"] and set(roles["feature"]) <= yes_no:
        block["scaling"] = "none"
    return block | {"sources": [{name: part for name, part in source.items() if part}]}


def complete_study(raws: Sequence[RawTable], study: Study) -> tuple[Study, dict[str, str]]:
    """Fill in what the settings of the sources leave out, where the tables leave no doubt.

    Of sources with several rows for a customer: which column is the customer, the date and the amount, and, where no
    column is named at all, all others that such a source can have. Of tables with one row per customer: the
    key, where others are joined to it, and the roles, where none is set and no formula uses the table. Where orders
    or events form the segments, columns without a role only describe them.

    Parameters
    ----------
    raws : sequence of RawTable
        In the order of ``study.sources``.
    study : Study

    Returns
    -------
    Study
    dict of str to str
        Why a column has its role, by column, where it was inferred.

    Raises
    ------
    InputError
        Where several columns could be the one that is needed.
    """
    shared = [{name for other in raws if other is not raw for name in other.frame.columns} for raw in raws]
    used = {name for feature in study.features.values() for name in parse(feature.formula).names}
    alone = len(raws) == 1
    behaviour = any(source.kind in ROW_KINDS for source in study.sources)
    sources, reasons = [], {}
    seen: set[str] = set()
    for i, (raw, source) in enumerate(zip(raws, study.sources, strict=True)):
        place = f"_quarto.yml, segmentation.sources[{i}]"
        if source.kind in ROW_KINDS:
            columns = _complete_columns(raw, source, shared[i], place)
            sources.append(source.model_copy(update={"columns": columns, **_complete_measures(raw, source, columns)}))
            continue
        bare = not any(source.roles.model_dump().values()) and not used & set(raw.frame.columns)
        if source.key is None and not (alone and not bare):
            source = source.model_copy(update={"key": _complete_key(raw, shared[i], alone, place)})
        if bare:
            source, why = _complete_roles(raw, source, behaviour, seen, alone)
            reasons |= why
        seen |= set(raw.frame.columns)
        sources.append(source)
    return study.model_copy(update={"sources": tuple(sources)}), reasons


def explain_rows(raw: RawTable, source: Source | None, chosen: Source) -> tuple[str, ...]:
    """Explain how the columns of rows of customers were read and used, in sentences.

    Parameters
    ----------
    raw : RawTable
    source : Source, optional
        As the settings have it; None where they know nothing of the table.
    chosen : Source
        As completed by `complete_study`.
    """
    if chosen.kind not in ROW_KINDS:
        return ()
    notes = []
    for part, column in chosen.columns.model_dump().items():
        if column in raw.frame.columns:
            how = "set" if source and getattr(source.columns, part) else "by its name and type"
            words = "the price of one period" if (part, chosen.kind) == ("amount", "subscriptions") else _PARTS[part]
            notes.append(f"{column} is {words} ({how}): {raw.column(column).note}.")
    return tuple(notes)


_PARTS = {
    "customer": "the customer",
    "date": "when it happened",
    "amount": "the amount",
    "order": "the order",
    "price": "the price of one item",
    "quantity": "the quantity",
    "category": "the category",
    "channel": "the channel",
    "session": "the session",
    "event": "what happened",
    "pages": "the number of pages",
    "duration": "the duration",
    "end": "the end",
    "status": "whether it is active",
    "plan": "the plan",
}
"""What the columns of rows of customers are, in words."""


_DATED = frozenset({"customer", "date"})
_PARTS_OF = {
    "transactions": _DATED | {"amount", "order", "price", "quantity", "category", "channel"},
    "events": _DATED | {"session", "event", "category", "channel"},
    "sessions": _DATED | {"session", "pages", "duration"},
    "subscriptions": _DATED | {"amount", "end", "status", "plan"},
    "panel": _DATED,
}
"""Columns that are inferred for each kind of source with several rows for a customer."""


def _complete_columns(raw: RawTable, source: Source, shared: set[str], place: str) -> RowColumns:
    given = {part: column for part, column in source.columns.model_dump().items() if column}
    inferred = (_row_columns(infer_roles(raw)) | name_columns(raw, source.kind)) if not given else {}
    candidates = row_candidates(raw)
    joining = [name for name in candidates["customer"] if name in shared]
    candidates["customer"] = joining if len(joining) == 1 else candidates["customer"]
    for part in ("customer", "date", "amount") if source.kind == "transactions" else ("customer", "date"):
        if part not in given:
            names = [name for name in candidates[part] if name not in given.values()]
            inferred[part] = _only(names, f"{place}.columns.{part}", raw, f"is {_PARTS[part]}")
    complete = {
        part: name for part, name in (inferred | given).items() if part in given or part in _PARTS_OF[source.kind]
    }
    return RowColumns(**{part: name for part, name in complete.items() if name})


def _complete_measures(raw: RawTable, source: Source, columns: RowColumns) -> dict[str, tuple[str, ...]]:
    """Find the measures of a panel where the settings name none."""
    if source.kind != "panel" or source.totals or source.balances:
        return {}
    totals, balances = find_measures(raw, str(columns.customer))
    return {"totals": totals, "balances": balances}


def _complete_key(raw: RawTable, shared: set[str], alone: bool, place: str) -> str | None:
    names = key_candidates(raw)
    if alone:
        return names[0] if names else None
    joining = [c.name for c in raw.columns if c.name in shared and (c.type == "key" or is_identifier(c.name))]
    return _only(joining if len(joining) == 1 else names, f"{place}.key", raw, "names the customer")


def _only(names: list[str], place: str, raw: RawTable, what: str) -> str:
    if len(names) == 1:
        return names[0]
    problem = f"several columns match: {listed(names)}" if names else f"no column of {raw.shown_path} matches"
    raise InputError(
        f"{place}: not set, and {problem}.",
        f"Expected one column that {what}. Columns of {raw.shown_path}: {listed(raw.frame.columns)}.",
        "Set it there.",
    )


def _complete_roles(
    raw: RawTable, source: Source, behaviour: bool, seen: set[str], alone: bool
) -> tuple[Source, dict[str, str]]:
    """Roles, labels and units as for an unknown table; columns that an earlier table has too keep out.

    A survey weight is used where the table is ``alone``.
    """
    inferred = [c for c in infer_roles(raw) if c.name != source.key and c.name not in seen]
    weight = source.weight or next((c.name for c in inferred if c.role == "weight" and alone), None)
    columns = [c for c in inferred if c.name != weight]
    battery = tuple(c.name for c in columns if c.role == "feature") if source.kind == "survey" else ()
    roles: dict[str, tuple[str, ...]] = {}
    reasons = {}
    for column in columns:
        role = column.role if column.role in get_args(Role) else "ignore"
        described = behaviour and role == "feature"
        role = "descriptor" if described else role
        roles[role] = (*roles.get(role, ()), column.name)
        reasons[column.name] = f"{column.why}; orders and visits form the segments" if described else column.why
    update = {
        "roles": Roles(**roles),
        "labels": {c.name: c.label for c in columns if c.name != c.label} | source.labels,
        "units": {c.name: c.unit for c in columns if _states_unit(c)} | source.units,
        "battery": source.battery or battery,
        "weight": weight,
    }
    reasons |= {c.name: c.why for c in inferred if c.name == weight and c.role == "weight"}
    return source.model_copy(update=update), reasons


def as_yaml(block: dict[str, Any]) -> str:
    """Return the block as text for ``_quarto.yml``."""
    return yaml.safe_dump({"segmentation": block}, sort_keys=False, allow_unicode=True, width=100)


def explain_columns(raw: RawTable) -> dict[str, str]:
    """Explain the role of each column, by name."""
    return {column.name: column.why for column in infer_roles(raw)}


def _row_columns(columns: tuple[InferredColumn, ...]) -> dict[str, str]:
    """Which column of transactions or events says what: one each, the first that fits."""
    columns_of: dict[str, str] = {}
    for column in columns:
        words = set(split_words(column.name.lower()))
        part = column.role if column.role in {"customer", "date", "amount"} else None
        if part is None and column.unit == "count" and not column.name.startswith("column_"):
            part = "quantity"
        for hint in ("order", "session", "event", "channel", "category"):
            if part is None and hint in words:
                part = hint
        if part:
            columns_of.setdefault(part, column.name)
    return columns_of


def _states_unit(column: InferredColumn) -> bool:
    return column.unit not in {"", "number"} and column.role in {"feature", "descriptor", "outcome"}


def _value(columns: tuple[InferredColumn, ...]) -> str | None:
    """Return the one feature that is money and worth, or the only total among several of them."""
    money = [c.name for c in columns if c.role == "feature" and c.unit == "money" and names_value(c.name)]
    totals = [name for name in money if "total" in words_of(name)]
    money = totals if len(totals) == 1 else money
    return money[0] if len(money) == 1 else None
