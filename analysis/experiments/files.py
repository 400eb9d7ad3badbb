"""Private files with customers: written for their owner alone, and never where a site is made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from analysis.base.errors import InputError
from analysis.base.manifest import EXPORTS

FORMATS = (".csv", ".parquet", ".xlsx")
MOST_XLSX_ROWS = 1_048_575
"""Rows of a worksheet below its header."""
PUBLISHED = ("site", "_site")
OWNER_ONLY = 0o600


def check_target(root: Path, file: Path, n_rows: int) -> None:
    """Refuse a place or format that customers cannot be written to.

    Raises
    ------
    InputError
        For an unknown format, a workbook with too many rows, and a place that is published or that git would commit.
    """
    place, suffix = _relative(file, root), file.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"--out {place}: '{suffix or file.name}' is not a supported format.", f"Supported: {', '.join(FORMATS)}."
        )
    if suffix == ".xlsx" and n_rows > MOST_XLSX_ROWS:
        raise InputError(
            f"--out {place}: {n_rows:,} customers do not fit into a worksheet.",
            f"A worksheet has {MOST_XLSX_ROWS:,} rows below its header.",
            "Write a .csv or .parquet file instead, or export fewer segments.",
        )
    inside = file.resolve()
    home = root.resolve()
    if any(inside.is_relative_to(home / name) for name in PUBLISHED) or (inside.parent / "index.html").exists():
        raise InputError(
            f"--out {place}: this folder is published.", "A list of customers is private.", "Write it to exports/."
        )
    if inside.is_relative_to(home) and not inside.is_relative_to(home / EXPORTS):
        raise InputError(
            f"--out {place}: git would commit this file.", "Expected a place in exports/ or outside the project."
        )


def write_private_table(table: pd.DataFrame, file: Path) -> None:
    """Write a table as CSV, Parquet or workbook, as the file's name ends, readable by its owner alone.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    writers: dict[str, Callable[[pd.DataFrame, Path], None]] = {
        ".csv": _write_csv, ".parquet": _write_parquet, ".xlsx": _write_workbook
    }  # fmt: skip
    write_private_file(file, lambda fresh: writers[file.suffix.lower()](table, fresh))


def write_private_file(file: Path, write: Callable[[Path], None]) -> None:
    """Write a file in one step, readable by its owner alone; a missing folder is made."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Files that mkstemp makes are readable by their owner alone.
        handle, name = tempfile.mkstemp(prefix=f".{file.stem}-", suffix=file.suffix, dir=file.parent)
        os.close(handle)
        fresh = Path(name)
        try:
            write(fresh)
            fresh.chmod(OWNER_ONLY)
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.", hint="Choose another file.") from None


def _write_csv(table: pd.DataFrame, file: Path) -> None:
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(_arrow(table), file, options)


def _write_parquet(table: pd.DataFrame, file: Path) -> None:
    pyarrow.parquet.write_table(_arrow(table), file)


def _write_workbook(table: pd.DataFrame, file: Path) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with pd.ExcelWriter(file, engine="xlsxwriter", engine_kwargs={"options": options}) as book:
        table.to_excel(book, index=False, sheet_name="Customers")


def _arrow(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)


def _relative(file: Path, root: Path) -> str:
    home = root.resolve()
    return file.resolve().relative_to(home).as_posix() if file.resolve().is_relative_to(home) else str(file)
