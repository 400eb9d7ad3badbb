"""Segments written back to a database: new customers are inserted, known ones updated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from analysis.base.errors import InputError, listed
from analysis.sources.locate import fill_in_environment

MOST_AT_ONCE = 500
"""Keys in one statement that removes rows."""


def write_back(table: pd.DataFrame, removed: pd.Series, address: str, name: str, root: Path) -> tuple[int, int]:
    """Insert or update a row for each customer, all in one transaction.

    Parameters
    ----------
    table : DataFrame
        With ``key``; the other columns replace those of rows with the same key.
    removed : Series of str
        Keys of customers who must not be contacted: their rows are deleted.
    address : str
        SQLAlchemy URL; ``${NAME}`` stands for an environment variable.
    name : str
        Table; it is created if the database has none of this name.
    root : Path
        Folder that the path of an SQLite file starts from.

    Returns
    -------
    int, int
        Rows inserted and updated.

    Raises
    ------
    InputError
        For an address that cannot be read, or a table without these columns. The table is then unchanged.
    """
    if not re.fullmatch(r"[A-Za-z_]\w{0,62}", name):
        raise InputError(f"--table {name}: this is no name of a table.", "Expected letters, digits and underscores.")
    engine = _engine(address, root)
    try:
        with engine.begin() as connection:
            target = _target(connection, table, name)
            return _merge(connection, target, table, removed)
    except (SQLAlchemyError, OSError) as error:
        raise InputError(
            f"--to: {_first_line(error, engine)}", hint="Check that the database is running and the address is correct."
        ) from None
    finally:
        engine.dispose()


def _engine(address: str, root: Path) -> sa.Engine:
    try:
        url = sa.engine.make_url(fill_in_environment(address, "--to"))
        if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_absolute():
            url = url.set(database=str(root / url.database))
        return sa.create_engine(url)
    except (ArgumentError, ValueError, NoSuchModuleError):
        raise InputError(
            "--to: the database's address cannot be read.",
            "Expected dialect://user:${PASSWORD}@host:port/database or sqlite:///file.db.",
        ) from None
    except ModuleNotFoundError as error:
        raise InputError(
            f"--to: the driver '{error.name}' is not installed.", hint=f'Install it: pip install "{error.name}"'
        ) from None


def _target(connection: sa.Connection, table: pd.DataFrame, name: str) -> sa.Table:
    """Return the table of the database, made where absent."""
    metadata = sa.MetaData()
    if not sa.inspect(connection).has_table(name):
        made = sa.Table(name, metadata, *(_column(column, table[column]) for column in table.columns))
        made.create(connection)
        return made
    target = sa.Table(name, metadata, autoload_with=connection)
    if absent := [column for column in table.columns if column not in target.columns]:
        raise InputError(
            f"--table {name}: the table has no column '{absent[0]}'.",
            f"Columns there: {listed(column.name for column in target.columns)}.",
            "Add the column, or write to another table.",
        )
    return target


def _column(name: str, values: pd.Series) -> sa.Column[Any]:
    if name == "key":
        return sa.Column(name, sa.String(255), primary_key=True)
    number = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    return sa.Column(name, sa.Float if number else sa.String(255))


def _merge(connection: sa.Connection, target: sa.Table, table: pd.DataFrame, removed: pd.Series) -> tuple[int, int]:
    key = target.columns["key"]
    known = {str(row[0]) for row in connection.execute(sa.select(key))}
    gone = [value for value in removed if value in known]
    for start in range(0, len(gone), MOST_AT_ONCE):
        connection.execute(target.delete().where(key.in_(gone[start : start + MOST_AT_ONCE])))
    texts = table.astype("object").where(table.notna(), None)
    rows: list[dict[str, Any]] = [dict(zip(texts.columns, row, strict=True)) for row in texts.itertuples(index=False)]
    new = [row for row in rows if row["key"] not in known]
    old = [{f"new_{column}": value for column, value in row.items()} for row in rows if row["key"] in known]
    if new:
        connection.execute(target.insert(), new)
    if old and len(table.columns) > 1:
        values = {column: sa.bindparam(f"new_{column}") for column in table.columns if column != "key"}
        connection.execute(target.update().where(key == sa.bindparam("new_key")).values(values), old)
    return len(new), len(old)


def _first_line(error: Exception, engine: sa.Engine) -> str:
    text = str(getattr(error, "orig", None) or error)
    if password := engine.url.password:
        text = text.replace(str(password), "***")
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), type(error).__name__)
