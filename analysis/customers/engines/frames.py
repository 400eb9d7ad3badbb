"""Execution of the same DataFrame code on DuckDB (through SQLFrame) or on PySpark.

Both speak the PySpark DataFrame API. What is written against an `Engine` takes its ``functions`` and its
``Window`` from there and never asks which engine it is.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.settings.models import Engine as EngineName
from analysis.sources.large.scans import Scan
from analysis.sources.readers.catalogs import name_for_spark, select_table

BLANKS = " \t\r\n\u00a0"
"""What is trimmed from a key."""
STORED_ROWS = "stored_rows"
"""What DuckDB calls the files of an object store."""
Kind = Literal["text", "whole", "number", "moment", "boolean", "other"]

_NUMBERS: tuple[Kind, ...] = ("whole", "number")
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
"""What fits into 64 bits."""
_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"interval|time( |$)|.*\[|array|map|struct|list", "other"),
    (r"timestamp|datetime|date", "moment"),
    (r"bool", "boolean"),
    (r"float|double|real|decimal|numeric", "number"),
    (r"u?(tiny|small|big|huge)?int(eger)?\d*|long|short|byte", "whole"),
    (r"varchar|string|char|text|enum|uuid", "text"),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """A table as an engine holds it, lazily.

    Attributes
    ----------
    frame : DataFrame of the engine
        Columns under the names that were asked for.
    kinds : mapping of column name to kind
        What each column holds.
    """

    frame: Any
    kinds: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Holding:
    """How many customers are held in memory.

    Attributes
    ----------
    most : int
        Of more, a sample is, and the others stay on the engine.
    seed : int
        Which sample.
    folder : Path
        Where DuckDB keeps the table of all customers.
    """

    most: int
    seed: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Engine:
    """A session together with the functions and the windows that belong to it.

    Attributes
    ----------
    name : {"duckdb", "spark"}
    session : DuckDBSession of SQLFrame or SparkSession
    functions : module
        ``pyspark.sql.functions`` or its like.
    window : type
        ``pyspark.sql.Window`` or its like.
    connection : DuckDBPyConnection or None
        What the session of DuckDB runs on.
    holding : Holding, optional
        None where all customers are held.
    """

    name: EngineName
    session: Any
    functions: Any
    window: Any
    connection: Any = None
    holding: Holding | None = None

    def holding_all(self) -> Engine:
        """Return the same engine, with all customers held in memory."""
        return replace(self, holding=None)

    def read(self, table: Any, columns: Mapping[str, str], setting: str = "columns", view: str = "") -> Rows:
        """Take some columns of a table, under new names.

        Moments with a time zone count by the clock of that zone in a pandas DataFrame, and by UTC elsewhere.

        Parameters
        ----------
        table : pandas DataFrame, path or glob pattern of Parquet files, Scan, or PySpark DataFrame
        columns : mapping of new name to the table's own name
            New names are plain lower-case words; one that SQL reserves ends in an underscore.
        setting : str
            Place in the settings that messages name.
        view : str
            What DuckDB calls the rows, where others are read before these are used.

        Raises
        ------
        InputError
            No such file or column.
        """
        if isinstance(table, pd.DataFrame):
            _check_columns(columns, table.columns, "the table", setting)
            arrow = _to_arrow(table, columns)
            if self.name == "spark":
                with warnings.catch_warnings():
                    # PySpark warns of pandas 3, of which no more than the version is looked at.
                    warnings.simplefilter("ignore", FutureWarning)
                    return _rows_of_spark(self.session.createDataFrame(arrow))
            self.connection.register(view or "registered_rows", arrow)
            return self._rows(view or "registered_rows", arrow.column_names)
        if isinstance(table, str | Path):
            return self._scan(Scan((str(table),), "", Path(table).name), columns, setting, view or "source_rows")
        if isinstance(table, Scan):
            return self._scan(table, columns, setting, view or "source_rows")
        if self.name != "spark":
            raise TypeError(f"table is a {type(table).__name__}; expected a DataFrame or the path of a file")
        _check_columns(columns, table.columns, "the table", setting)
        chosen = [self.functions.col(f"`{own}`").alias(new) for new, own in columns.items()]
        return _rows_of_spark(table.select(*chosen))

    def view(self, frame: Any, name: str) -> Any:
        """Name the result so far and continue from it, without computing it yet.

        SQLFrame copies the whole description at each step, so long ones are cut into views.
        """
        if self.name == "spark":
            return frame
        query = frame.sql(dialect="duckdb", optimize=False)
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
        return self._select(name, frame.columns)

    def to_pandas(self, frame: Any) -> pd.DataFrame:
        """Run what was described, and fetch the result."""
        return frame.toArrow().to_pandas()

    def first_row(self, frame: Any) -> dict[str, Any]:
        """Run what was described, and fetch its only row."""
        return self.to_pandas(frame).to_dict("records")[0]  # type: ignore[return-value]

    def _scan(self, scan: Scan, columns: Mapping[str, str], setting: str, view: str) -> Rows:
        shown = scan.shown
        unread = InputError(
            f"{setting}: {shown} cannot be read as Parquet.",
            "Expected a Parquet file, or a pattern that matches Parquet files.",
            "Check the path, or read the file as a table first.",
        )
        if self.name == "spark":
            return self.read(self._scan_by_spark(scan, unread), columns, setting)
        import duckdb

        files = ", ".join(in_quotes(file, "'") for file in scan.files)
        source = f"read_parquet([{files}], hive_partitioning = {bool(scan.folder)}, hive_types_autocast = false)"
        try:
            if scan.stored:
                source = STORED_ROWS
                self.connection.register(source, scan.open_dataset())
            described = self.connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        except (duckdb.Error, pa.ArrowException, OSError):
            raise unread from None
        _check_columns(columns, [row[0] for row in described], shown, setting)
        chosen = ", ".join(f"{in_quotes(column)} AS {new}" for new, column in columns.items())
        kept = ["true"]
        if scan.since is not None:
            kept.append(f"{in_quotes(scan.dated)} >= DATE '{scan.since}'")
        if scan.keys is not None:
            own, kind = in_quotes(scan.keyed), _kind(dict(row[:2] for row in described)[scan.keyed])
            if kind not in _NUMBERS:
                blanks = in_quotes(BLANKS, "'")
                own = f"trim(CAST({own} AS VARCHAR), {blanks})"
            self.connection.register("chosen_keys", _list_keys(scan.keys, kind))
            kept.append(f"{own} IN (SELECT chosen_key FROM chosen_keys)")
        query = f"SELECT {chosen} FROM {source} WHERE {' AND '.join(kept)}"
        if scan.keys is not None:
            # Few rows of many are taken out once.
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE chosen_rows AS {query}")
            query = "FROM chosen_rows"
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS {query}")
        return self._rows(view, list(columns))

    def _scan_by_spark(self, scan: Scan, unread: InputError) -> Any:
        from pyspark.errors import PySparkException

        reader = self.session.read
        try:
            if scan.table:
                table = select_table(self.session, scan.table)
            else:
                folder, *files = (name_for_spark(self.session, place) for place in (scan.folder, *scan.files))
                table = (reader.option("basePath", folder) if folder else reader).parquet(*files)
        except PySparkException:
            raise unread from None
        if scan.since is not None:
            table = table.where(self.functions.col(f"`{scan.dated}`") >= self.functions.lit(scan.since))
        if scan.keys is not None:
            own, kind = table[f"`{scan.keyed}`"], _kind(dict(table.dtypes)[scan.keyed])
            if kind not in _NUMBERS:
                own = self.functions.btrim(own.cast("string"), self.functions.lit(BLANKS))
            chosen = self.session.createDataFrame(_list_keys(scan.keys, kind))
            table = table.join(chosen, own == chosen["chosen_key"], "left_semi")
        return table

    def _rows(self, view: str, names: list[str]) -> Rows:
        described = self.connection.execute(f"DESCRIBE SELECT * FROM {view}").fetchall()
        return Rows(self._select(view, names), {row[0]: _kind(row[1]) for row in described})

    def _select(self, view: str, names: list[str]) -> Any:
        return self.session.sql(f"SELECT {', '.join(names)} FROM {view}", qualify=False)


def check_kinds(
    kinds: Mapping[str, Kind], wanted: Mapping[str, tuple[Kind, ...]], columns: Mapping[str, str], setting: str
) -> None:
    """Check that columns have the types that the computation needs.

    Parameters
    ----------
    kinds, columns : mapping
        What the columns hold, and the table's own names for them, by their new names.
    wanted : mapping
        Kinds that will do; the first one is named in the message.
    setting : str
        Place in the settings that messages name.

    Raises
    ------
    InputError
        A column holds something else.
    """
    words = {"moment": "dates", "number": "numbers", "text": "words"}
    for name, allowed in wanted.items():
        if name in kinds and kinds[name] not in allowed:
            content = words.get(allowed[0], allowed[0])
            raise InputError(
                f"{setting}.{name.rstrip('_')}: column '{columns[name]}' does not contain {content}.",
                f"Expected {content}; it was read as {kinds[name]}.",
                "Choose another column, or set its type.",
            )


def clean_key(F: Any, kind: Kind, name: str) -> Any:  # noqa: N803
    """Trim spaces around a key; an empty key becomes null."""
    column = F.col(name)
    if kind == "whole":
        return column
    if kind == "number":
        return finite(F, name)
    trimmed = F.btrim(column.cast("string"), F.lit(BLANKS))
    return F.when(trimmed != F.lit(""), trimmed)


def write_key(F: Any, kind: Kind, name: str) -> Any:  # noqa: N803
    """Write a clean key as text; a whole number without decimals."""
    column = F.col(name)
    if kind != "number":
        return column.cast("string")
    return F.when(column == F.floor(column), column.cast("bigint").cast("string")).otherwise(column.cast("string"))


def finite(F: Any, name: str) -> Any:  # noqa: N803
    """Convert a column to double; infinite and invalid values become null."""
    number = F.col(name).cast("double")
    return F.when(F.abs(number) < F.lit(float("1.7e308")), number)


def count_where(F: Any, condition: Any) -> Any:  # noqa: N803
    """Count the rows that meet a condition."""
    return F.count(F.when(condition, F.lit(1)))


def whole_units(largest: Any, n_rows: int) -> float:
    """Choose the small units in 1, a power of ten up to a million, in which sums of whole numbers stay exact.

    Parameters
    ----------
    largest : float or None
        Largest absolute value.
    n_rows : int
        Values that are added up at most.
    """
    most = 0.0 if largest is None or pd.isna(largest) else float(largest) * n_rows
    return 10.0 ** min(6, math.floor(math.log10(9e17 / most))) if most > 0 else 1e6


def index_by_customer(frame: pd.DataFrame, key_kind: Kind) -> pd.DataFrame:
    """Move the key into the index, as text in canonical order, and make the rest float64."""
    key: Any = frame["customer"]
    if key_kind == "number":
        key = key.map(lambda value: str(int(value)) if value == int(value) else str(value))
    return in_order(frame.drop(columns="customer").astype("float64").set_axis(pd.Index(key)))


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort customers by the keys in the index, as text: shorter ones first."""
    keys = frame.index.astype("str")
    order = pd.DataFrame({"length": keys.str.len(), "key": keys}).sort_values(["length", "key"], kind="stable").index
    return frame.set_axis(keys.rename("customer")).iloc[order]


def _list_keys(keys: Iterable[str], kind: Kind) -> pa.Table:
    """List keys in the type of a column, as far as they can stand in it."""
    if kind == "whole":
        return pa.table({"chosen_key": pa.array([int(key) for key in keys if _WHOLE.fullmatch(key)], pa.int64())})
    if kind == "number":
        numbers = pd.to_numeric(pd.Series(list(keys), dtype="str"), errors="coerce").dropna()
        return pa.table({"chosen_key": pa.array(numbers, pa.float64())})
    return pa.table({"chosen_key": pa.array(list(keys), pa.string())})


def in_quotes(name: str, quote: str = '"') -> str:
    """Quote a name or a text for SQL."""
    return quote + name.replace(quote, quote * 2) + quote


def _rows_of_spark(frame: Any) -> Rows:
    return Rows(frame, {name: _kind(dtype) for name, dtype in frame.dtypes})


def _kind(type_name: str) -> Kind:
    name = type_name.lower()
    for pattern, kind in _KINDS:
        if re.match(pattern, name):
            return kind
    return "other"


def _check_columns(columns: Mapping[str, str], present: Any, shown: str, setting: str) -> None:
    names = [str(name) for name in present]
    for new, column in columns.items():
        if column not in names:
            raise InputError(
                f"{setting}.{new.rstrip('_')}: column '{column}' is not in {shown}.",
                f"Available columns: {listed(names)}.",
                did_you_mean(column, names),
            )


def _to_arrow(table: pd.DataFrame, columns: Mapping[str, str]) -> pa.Table:
    """Columns under their new names; mixed values as text, times in local clock time."""
    taken: dict[str, pd.Series] = {}
    for new, column in columns.items():
        values: Any = table[column]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            values = values.dt.tz_localize(None)
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(values.cat.categories.dtype)
        if values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) not in {
            "date",
            "decimal",
            "boolean",
        }:
            values = values.astype("str")
        taken[new] = values
    arrow = pa.Table.from_pandas(pd.DataFrame(taken), preserve_index=False)
    for place, field in enumerate(arrow.schema):
        if pa.types.is_timestamp(field.type):
            arrow = arrow.set_column(place, field.name, arrow.column(place).cast(pa.timestamp("us"), safe=False))
        elif pa.types.is_large_string(field.type):
            arrow = arrow.set_column(place, field.name, arrow.column(place).cast(pa.string()))
    return arrow.replace_schema_metadata()
