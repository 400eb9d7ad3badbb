"""Reader of JSON: an array of objects, one object a line, an object that holds an array, or columns of values."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from analysis.base.errors import InputError
from analysis.base.formats import number
from analysis.sources.readers.delimited import Reading


def looks_like_json(data: bytes, name: str = "") -> bool:
    """Return whether bytes begin like JSON, not like a table whose first name is in brackets."""
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"{") or (head.startswith(b"[") and head[1:].lstrip()[:1] in (b"{", b"]"))


def read_json(where: str, data: bytes, reading: Reading) -> tuple[pa.Table, tuple[str, ...]]:
    """Read JSON into columns of text; nested fields are joined by a dot, and lists are counted.

    Raises
    ------
    InputError
        Where it is no JSON, or holds no rows.
    """
    text = data.decode("utf-8-sig", errors="replace").strip()
    try:
        rows, form = _rows(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where} is not valid JSON: {str(error)[:120]}.",
            "Expected an array of objects, or one object in each line.",
            "Export the table again, as CSV if possible.",
        ) from None
    flat = [_flatten(row) for row in rows if isinstance(row, dict)]
    names = list(dict.fromkeys(name for row in flat for name in row))
    if not names:
        raise InputError(
            f"{where} holds no table: no array of JSON objects.",
            "Expected an array of objects, or one object in each line.",
            "Export the table as CSV.",
        )
    columns = [pa.array([row.get(name) for row in flat], pa.string()) for name in names]
    return pa.Table.from_arrays(columns, names), (f"{form}, {number(len(flat))} objects",)


def _rows(text: str) -> tuple[list[Any], str]:
    try:
        whole = json.loads(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines], "JSON lines"
    if isinstance(whole, dict):
        by_column = _from_columns(whole)
        if by_column:
            return by_column, "JSON by column"
        lists = [value for value in whole.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
        whole = max(lists, key=len, default=[whole])
    return whole, "JSON"


def _from_columns(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table that is written column by column; none where it is not.

    >>> _from_columns({"id": [7, 8], "visits": [1, 2]})
    [{'id': 7, 'visits': 1}, {'id': 8, 'visits': 2}]
    >>> _from_columns({"columns": ["id", "visits"], "data": [[7, 1], [8, 2]]})
    [{'id': 7, 'visits': 1}, {'id': 8, 'visits': 2}]
    """
    names, data = whole.get("columns"), whole.get("data")
    if isinstance(names, list) and isinstance(data, list) and data and all(isinstance(row, list) for row in data):
        return [dict(zip(map(str, names), row, strict=False)) for row in data]
    parts = list(whole.values())
    if len(parts) >= 2 and all(isinstance(part, dict) and part.keys() == parts[0].keys() for part in parts):
        whole = {name: list(part.values()) for name, part in whole.items()}
    elif len(parts) < 2 or not all(isinstance(part, list) for part in parts):
        return []
    lengths = {len(part) for part in whole.values()}
    if len(lengths) > 1 or max(lengths) < 2 or any(isinstance(cell, dict) for part in whole.values() for cell in part):
        return []
    return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]


def _flatten(row: dict[str, Any], prefix: str = "") -> dict[str, str | None]:
    flat: dict[str, str | None] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            flat[f"{prefix}{name}"] = str(len(value))
        elif isinstance(value, bool):
            flat[f"{prefix}{name}"] = str(value).lower()
        else:
            flat[f"{prefix}{name}"] = None if value is None else str(value)
    return flat
