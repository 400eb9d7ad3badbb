"""Rows of a table that stand for no customer: second headings, totals, and those that the settings leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa


def drop_rows(table: pa.Table, leave_out: Mapping[str, Sequence[str]]) -> tuple[pa.Table, tuple[str, ...]]:
    """Drop rows."""
    return table, ()
