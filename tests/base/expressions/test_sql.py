"""Formulas as SQL: the same numbers from DuckDB as from the formula, missing ones too; nothing breaks out of a name."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest
import sqlglot

from analysis.base.expressions import parse
from analysis.base.expressions.sql import SqlColumn, UntranslatableError, quote_name, quote_text, to_sql

AS_OF = dt.date(2014, 6, 29)
COLUMNS = {
    **{name: SqlColumn("number", {}) for name in ("a", "b", "n")},
    "yes": SqlColumn("boolean", {}),
    "day": SqlColumn("date", {}),
    "word": SqlColumn("category", {"Solo": "Single"}),
    "bounded": SqlColumn("number", {}, (0.0, 10.0)),
    "remark": SqlColumn("text", {}),
}
FORMULAS = (
    "a",
    "a + b * 2 - n",
    "a / b",
    "n / (n + 1)",
    "a / (b - b)",
    "a ** 2 + abs(b)",
    "sqrt(a) + log1p(b)",
    "min(a, b, 1) + max(a, n)",
    "-a",
    "a > 0",
    "not (a > 0) or b <= 1",
    "a > 0 and b > 0",
    "where(a > b, a, n)",
    "where(yes, 1, 0)",
    "yes",
    'is_in(word, "Single", "married")',
    'word == "married"',
    'word != "Married"',
    "is_in(n, 1, 2, 3)",
    "year(as_of) - year(day)",
    "days(as_of - day)",
    "bounded",
    "a ** 0.5",
)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = 400
    frame = pd.DataFrame(
        {
            "a": np.round(rng.normal(0, 2, n), 1),
            "b": np.round(rng.normal(1, 2, n), 1),
            "n": rng.integers(-3, 9, n).astype(float),
            "yes": pd.array(rng.random(n) < 0.4, dtype="boolean"),
            "day": pd.to_datetime("2010-01-01") + pd.to_timedelta(rng.integers(0, 2000, n), unit="D"),
            "word": rng.choice(["Single", "Married", "Widow"], n),
            "bounded": np.round(rng.normal(5, 5, n), 0),
        }
    )
    frame.loc[::7, "a"], frame.loc[::11, "b"], frame.loc[::5, "yes"] = np.nan, np.nan, pd.NA
    frame.loc[::13, "day"], frame.loc[::9, "word"] = pd.NaT, None
    frame.loc[:5, ["a", "b"]] = 0.0
    return frame


def in_duckdb(sql: str, table: pd.DataFrame) -> np.ndarray:
    with duckdb.connect() as connection:
        connection.register("customers", table)
        found = connection.sql(f"SELECT {sql} AS x FROM customers AS c").fetchnumpy()["x"]
    return np.ma.filled(np.ma.asarray(found).astype(float), np.nan)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_sql_gives_what_the_formula_gives(formula: str, customers: pd.DataFrame) -> None:
    cleaned = customers.assign(bounded=customers["bounded"].where(customers["bounded"].between(0, 10)))
    values = parse(formula)({**cleaned, "as_of": pd.Timestamp(AS_OF)})
    if formula.startswith(("is_in(word", "word")):
        # The study's cleaning makes spellings one; the formula then sees "Married" alone.
        values = parse(formula.replace('"married"', '"Married"'))({**cleaned})
    numbers = values.astype("Float64").astype("float64")
    wanted = numbers.where(numbers.abs() < np.inf).to_numpy()
    np.testing.assert_allclose(in_duckdb(to_sql(parse(formula), COLUMNS, AS_OF), customers), wanted, rtol=1e-12)


def test_spellings_and_merges_are_those_of_the_study() -> None:
    table = pd.DataFrame({"word": [" married", "MARRIED", "Solo", "single", "other", None]})
    found = in_duckdb(to_sql(parse('is_in(word, "Single")'), COLUMNS, None), table)
    np.testing.assert_array_equal(found, [0, 0, 1, 1, 0, np.nan])


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_sql_is_one_for_postgresql_too(formula: str) -> None:
    sql = f"SELECT {to_sql(parse(formula), COLUMNS, AS_OF)} AS x FROM customers AS c"
    tree = sqlglot.parse_one(sql, read="postgres")
    assert not list(tree.find_all(sqlglot.exp.Anonymous))
    assert [column.table for column in tree.find_all(sqlglot.exp.Column)] == ["c"] * sql.count("c.")


@pytest.mark.parametrize(
    "formula", ["remark", "yes + yes", "day", "word", 'is_in(remark, "x")', 'word > "a"', "missing + 1", "days(day)"]
)
def test_what_sql_has_no_equal_for_is_refused(formula: str) -> None:
    with pytest.raises(UntranslatableError):
        to_sql(parse(formula), COLUMNS, AS_OF)


def test_a_formula_that_grows_without_end_is_refused() -> None:
    nested = "a"
    for _ in range(30):
        nested = f"min({nested}, b)"
    with pytest.raises(UntranslatableError, match="too long"):
        to_sql(parse(nested), COLUMNS, None)


def test_names_and_words_stay_in_their_quotes() -> None:
    hostile = 'x" FROM customers; DROP TABLE customers; --'
    table = pd.DataFrame({hostile: [1.5, 2.5]})
    assert in_duckdb(f"c.{quote_name(hostile)}", table).tolist() == [1.5, 2.5]
    with duckdb.connect() as connection:
        text = "Ann's \n'; DROP TABLE customers; --"
        assert connection.execute(f"SELECT {quote_text(text)}").fetchone() == ("Ann's '; DROP TABLE customers; --",)
