"""Reader of databases by SQLAlchemy URL. It never writes and never shows a password."""

from __future__ import annotations

import os
import re
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SAWarning, SQLAlchemyError

from analysis.base.errors import InputError, did_you_mean, listed, place_of

CONNECT_SECONDS = 10


def read_database(address: str, query: str | None, *, root: Path, setting: str) -> tuple[str, pa.Table]:
    """Run one SELECT and return its rows.

    Parameters
    ----------
    address : str
        SQLAlchemy URL with its environment variables already filled in; ``?table=`` at its end names a table.
    query : str or None
        A SELECT or WITH statement, or a table's name; None where the database has one table only.
    root : Path
        Folder that the path of an SQLite file starts from.
    setting : str
        Place in the settings that messages name.

    Returns
    -------
    shown : str
        Name of the database, fit for a public page.
    table : pyarrow.Table, shape (n_rows, n_columns)

    Raises
    ------
    InputError
        Bad URL, missing driver or file, wrong password, broken connection, no such table, not a SELECT.
    """
    url = _url(address, root, setting)
    if isinstance(table := url.query.get("table"), str):
        url, query = url.difference_update_query(["table"]), query or table
    shown = Path(url.database or "database").name
    where = f"{place_of(setting)}: database '{shown}'"
    engine = _engine(url, where)
    try:
        with engine.connect() as connection:
            names, rows = _select(connection, query, shown, setting)
    except (SQLAlchemyError, OSError) as error:
        raise _failure(error, url, where, setting) from None
    except Exception as error:
        if not isinstance(error, InputError) and type(error).__module__.partition(".")[0] in (
            "pg8000",
            "psycopg",
        ):
            raise _failure(error, url, where, setting) from None
        raise
    finally:
        engine.dispose()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"{setting}.query: more than one column is called {listed(map(repr, twice), 4)}.",
            "Expected a different name for each column.",
            "Rename them in the query with AS.",
        )
    columns = zip(*rows, strict=True) if rows else [() for _ in names]
    return shown, pa.table([_column(list(values)) for values in columns], names=names)


def _url(address: str, root: Path, setting: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise InputError(
            f"{place_of(setting)}: the database's address cannot be read.",
            "Expected dialect://user:${PASSWORD}@host:port/database or sqlite:///file.db.",
            "Percent-encode signs such as @ and / in a password.",
        ) from None
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        file = Path(url.database) if Path(url.database).is_absolute() else root / url.database
        if not file.is_file():
            raise InputError(
                f"{place_of(setting)}: the SQLite file {url.database} does not exist.",
                "Expected sqlite:///file.db, relative to the project.",
                "Correct the path.",
            )
        url = url.set(database=str(file))
    return url


def _engine(url: URL, where: str) -> sa.Engine:
    limit = {"psycopg": "connect_timeout", "psycopg2": "connect_timeout", "pg8000": "timeout"}
    try:
        dialect = url.get_dialect()
        argument = limit.get(dialect.driver)
        return sa.create_engine(url, connect_args={argument: CONNECT_SECONDS} if argument else {})
    except NoSuchModuleError:
        raise InputError(
            f"{where}: '{url.drivername}' is not a supported database.",
            "For example sqlite, postgresql+psycopg, mysql+pymysql.",
            "Correct the beginning of the address, or install the SQLAlchemy dialect.",
        ) from None
    except ModuleNotFoundError as error:
        package = {"psycopg": "psycopg[binary]", "MySQLdb": "mysqlclient"}.get(str(error.name), str(error.name))
        raise InputError(
            f"{where}: the driver '{error.name}' is not installed.",
            hint=f'Install it: pip install "{package}"',
        ) from None


def _select(
    connection: sa.Connection, query: str | None, shown: str, setting: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    tables = [] if query and " " in query.strip() else _tables(connection)
    if query is None:
        if len(tables) != 1:
            raise InputError(
                f"{setting if setting.startswith('-') else f'{setting}.query'}: choose a table of database '{shown}'.",
                f"Available tables: {listed(tables)}." if tables else "The database has no tables.",
                f'Choose one: --data "{_with_table(connection, tables[0])}", or set query in the settings.'
                if tables and setting.startswith("-")
                else "Set the query of the source to a table name or a SELECT statement.",
            )
        query = tables[0]
    query = query.strip().rstrip(";")
    if query in tables:
        name = ".".join(connection.dialect.identifier_preparer.quote(part) for part in query.split("."))
        query = f"SELECT * FROM {name}"
    elif not re.match(r"(?is)(select|with)\b", query):
        raise InputError(
            f"{setting}.query: '{query[:40]}' is neither a table of '{shown}' nor a SELECT statement.",
            f"Available tables: {listed(tables or _tables(connection))}.",
            did_you_mean(query, tables),
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        result = connection.exec_driver_sql(query)
        return list(result.keys()), [tuple(row) for row in result]


def _with_table(connection: sa.Connection, table: str) -> str:
    """The address of a database and of a table in it, without the password; of a file relative to where we are."""
    url = connection.engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=os.path.relpath(url.database))
    return url.update_query_dict({"table": table}).render_as_string(hide_password=True).replace("***", "${PASSWORD}")


def _tables(connection: sa.Connection) -> list[str]:
    inspector = sa.inspect(connection)
    names = sorted({*inspector.get_table_names(), *inspector.get_view_names()})
    connection.rollback()
    return names


def _failure(error: Exception, url: URL, where: str, setting: str) -> InputError:
    """One message from a driver's error, without any secret in it."""
    text = str(getattr(error, "orig", None) or error)
    for secret in filter(None, (str(url.password or ""), url.render_as_string(hide_password=False))):
        text = text.replace(secret, "***")
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    message = lines[0][:200]
    low = text.casefold()
    if "password" in low or "authentication" in low or "28p01" in low:
        return InputError(
            f"{where}: user '{url.username}' was refused: wrong user name or password.",
            "Expected the password in the environment, as ${NAME} in the address.",
            "Check the variable.",
        )
    if re.search(r"no such (table|column)|does not exist|syntax|42p01|42703|42601", low):
        return InputError(f"{setting}.query: {message}", hint="Correct the query.")
    if re.search(r"closed|terminat|reset|lost|broken|eof|network", low):
        return InputError(
            f"{where}: the connection was interrupted: {message}",
            "Expected the complete result of the query.",
            "Try again; if it fails again, select fewer rows.",
        )
    return InputError(
        f"{where} cannot be read: {message}", hint="Check that the database is running and the address is correct."
    )


def _column(values: list[Any]) -> pa.Array:
    """One type where all values agree, text otherwise."""
    if any(isinstance(value, Decimal) for value in values):
        values = [float(value) if isinstance(value, Decimal) else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        values = [None if value is None else float(value) for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
