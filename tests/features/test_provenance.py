"""Each source with its size, its time and what did not fit: never a month or a count of a few customers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.customers.assembly import assemble
from analysis.features.provenance import SourceSummary, summarise_sources, without_few
from analysis.settings.load import check_study
from analysis.sources.tables import read_table


def summaries(folder: Path, orders: pd.DataFrame, n_customers: int = 60) -> tuple[SourceSummary, ...]:
    """Summarise a table of customers and their orders."""
    pd.DataFrame({"id": [f"c{i}" for i in range(n_customers)], "region": ["N", "S"] * (n_customers // 2)}).to_csv(
        folder / "people.csv", index=False
    )
    orders.to_csv(folder / "orders.csv", index=False)
    sources: list[dict[str, Any]] = [
        {"path": "people.csv", "key": "id", "roles": {"descriptor": ["region"]}},
        {
            "path": "orders.csv",
            "kind": "transactions",
            "columns": {"customer": "who", "date": "on", "amount": "paid"},
            "labels": {"on": "Day of the order"},
        },
    ]
    study = check_study({"title": "Shop", "sources": sources})
    raws = [read_table(folder / source.path, root=folder) for source in study.sources]
    return summarise_sources(raws, study, assemble(raws, study).joined)


def orders(months: dict[str, int], unknown: int = 0) -> pd.DataFrame:
    """Make orders of so many customers in each month; the last ones' customers are unknown."""
    rows = [(f"c{i}", f"{month}-{1 + i % 28:02d}", 5.0 + i) for month, n in months.items() for i in range(n)]
    rows += [(f"x{i}", f"{max(months)}-15", 1.0) for i in range(unknown)]
    return pd.DataFrame(rows, columns=["who", "on", "paid"])


@pytest.mark.slow
def test_every_source_tells_its_size_and_what_does_not_fit(tmp_path: Path) -> None:
    people, sales = summaries(tmp_path, orders({"2024-01": 40, "2024-02": 50}, unknown=12))
    assert (people.rows, people.columns, people.kind, people.unknown, people.without) == (
        60,
        2,
        "customers",
        None,
        None,
    )
    assert (sales.rows, sales.columns, sales.kind, sales.unknown, sales.without) == (102, 3, "transactions", 12, 10)
    assert sales.dated == "Day of the order"
    assert len(sales.sha256) == 12 and people.sha256 != sales.sha256
    assert any(note.startswith("Lifetime value") for note in sales.notes), "what could not be computed is told"


@pytest.mark.slow
def test_rows_are_counted_by_month_with_gaps_where_nothing_is(tmp_path: Path) -> None:
    _, sales = summaries(tmp_path, orders({"2024-01": 40, "2024-03": 50}))
    assert [(bar.label, bar.n) for bar in sales.bars] == [("2024-01", 40), ("2024-02", 0), ("2024-03", 50)]
    assert (sales.first, sales.last) == ("2024-01", "2024-03")


@pytest.mark.slow
def test_a_month_of_a_few_customers_is_neither_drawn_nor_the_first(tmp_path: Path) -> None:
    _, sales = summaries(tmp_path, orders({"2023-12": 3, "2024-01": 40, "2024-02": 30, "2024-03": 50}))
    assert (sales.first, sales.last) == ("2024-01", "2024-03")
    assert sales.bars == (), "no month, quarter or year of 2023 holds ten customers"


@pytest.mark.slow
def test_many_rows_of_a_few_customers_are_a_few_customers(tmp_path: Path) -> None:
    busy = pd.DataFrame({"who": np.tile(["c1", "c2", "c3"], 30), "on": "2024-02-10", "paid": 1.0})
    _, sales = summaries(tmp_path, pd.concat([orders({"2024-01": 40}), busy]))
    assert (sales.first, sales.last) == ("2024-01", "2024-01")
    assert [(bar.label, bar.n) for bar in sales.bars] == [("2024Q1", 130)]


@pytest.mark.slow
def test_rows_without_a_date_cannot_be_told_by_subtraction(tmp_path: Path) -> None:
    dated = orders({"2024-01": 44, "2024-02": 57})
    undated = dated.head(4).assign(on=None)
    _, sales = summaries(tmp_path, pd.concat([dated, undated]))
    assert [bar.n for bar in sales.bars] == [40, 60]
    assert "fewer than 10 transactions without a date were left out." in sales.notes


def test_notes_tell_no_count_of_a_few_and_keep_other_numbers() -> None:
    assert without_few("1,003 transactions after 2024-01-05 were left out.", 10).startswith("1,003 transactions")
    assert without_few("9 customers have refunds only", 10) == "fewer than 10 customers have refunds only"
    assert without_few("2 files of one shape joined", 10) == "2 files of one shape joined"
