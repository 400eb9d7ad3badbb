"""Random tables written in random dialects, and what is right to read from them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

SEPARATORS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")
MISSING = ("", "NA", "n/a", "NULL", "-")
DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d %b %Y", "%Y-%m-%d %H:%M:%S", "%d.%m.%y")
MONEY = ("", "€", "$", "EUR", "£")
TITLES = ("Customers of the northern region", "Export of 3 January", "Kundenübersicht")
TOWNS = ("Zürich", "Köln", "Bern", "Lyon", "Graz")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    Attributes
    ----------
    separator, decimal, thousands, encoding, missing, dates, money : str
        ``dates`` as for strftime, ``money`` the sign of a currency beside amounts.
    sign_first : bool
        Whether that sign stands before the amount.
    titles : int
        Lines above the header.
    totals : bool
        Whether a line of totals ends the table.
    """

    separator: str
    decimal: str
    thousands: str
    encoding: str
    missing: str
    dates: str
    money: str
    sign_first: bool
    titles: int
    totals: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A table, how it was written, and the bytes."""

    truth: pd.DataFrame
    dialect: Dialect
    data: bytes

    def is_ambiguous(self) -> bool:
        """Return whether the text fits another table as well: no day is above the twelfth, so it may be the month."""
        first = self.dialect.dates in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d.%m.%y")
        return first and bool((self.truth["joined"].dropna().dt.day <= 12).all())


def write_table(seed: int) -> Written:
    """Draw a table of customers and a dialect, and write it."""
    rng = np.random.default_rng(seed)
    truth = _draw(rng)
    dialect = _choose(rng)
    lines = [list(truth.columns)]
    lines += [[_cell(name, value, dialect) for name, value in row.items()] for row in truth.to_dict("records")]
    if dialect.totals:
        sums = {name: truth[name].sum() for name in ("visits", "spend")}
        lines.append(
            ["Total", *(_cell(name, sums[name], dialect) if name in sums else "" for name in truth.columns[1:])]
        )
    out = io.StringIO()
    for title in TITLES[: dialect.titles]:
        out.write(title + "\n")
    csv.writer(out, delimiter=dialect.separator, lineterminator="\n").writerows(lines)
    return Written(truth, dialect, out.getvalue().encode(dialect.encoding))


def _draw(rng: np.random.Generator) -> pd.DataFrame:
    n = int(rng.integers(40, 160))
    spend = rng.gamma(2, float(rng.choice([30, 900])), n).round(2)
    spend[rng.random(n) < 0.05] = np.nan
    days = pd.Series(np.datetime64("2019-01-01") + rng.integers(0, 1500, n), dtype="datetime64[s]")
    town = pd.Series(rng.choice(TOWNS, n), dtype="str")
    return pd.DataFrame(
        {
            "client_id": pd.Series([f"K{i:05d}" for i in rng.choice(90_000, n, replace=False)], dtype="str"),
            "visits": rng.integers(1, int(rng.choice([40, 9000])), n),
            "spend": spend,
            "joined": days.mask(rng.random(n) < 0.05),
            "town": town.mask(rng.random(n) < 0.05),
            "age": rng.integers(18, 90, n),
        }
    )


def _choose(rng: np.random.Generator) -> Dialect:
    decimal = str(rng.choice([".", ","]))
    thousands = str(rng.choice(["", "", "," if decimal == "." else ".", " ", "'", "\u00a0"]))
    separator = str(rng.choice([s for s in SEPARATORS if s != decimal]))
    money = str(rng.choice(MONEY))
    return Dialect(
        separator, decimal, thousands, str(rng.choice(ENCODINGS)), str(rng.choice(MISSING)), str(rng.choice(DATES)),
        money, bool(rng.random() < 0.5) and money != "EUR", int(rng.choice([0, 0, 1, 2])), bool(rng.random() < 0.3),
    )  # fmt: skip


def _cell(name: str, value: object, dialect: Dialect) -> str:
    if value is None or value is pd.NaT or value != value:
        return dialect.missing
    if isinstance(value, pd.Timestamp):
        return value.strftime(dialect.dates)
    if name == "spend":
        text = _group(f"{value:,.2f}", dialect)
        gap = " " if dialect.money == "EUR" else ""
        return f"{dialect.money}{text}" if dialect.sign_first else f"{text}{gap}{dialect.money}"
    if name == "visits":
        return _group(f"{value:,d}", dialect)
    return str(value)


def _group(text: str, dialect: Dialect) -> str:
    return text.replace(",", "\0").replace(".", dialect.decimal).replace("\0", dialect.thousands)
