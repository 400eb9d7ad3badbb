"""An unknown table is taken for what it is, and every column says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.sources.inference import InferredColumn, infer_kind, infer_roles, label_of
from analysis.sources.tables import RawTable, read_table
from tests.conftest import MADE_UP, find_public_file


@pytest.fixture(params=["published", "made up"])
def read_file(request: pytest.FixtureRequest) -> Callable[[str], RawTable]:
    """Read a public data file, and the made-up one of the same form."""

    def read(name: str) -> RawTable:
        file = find_public_file(name) if request.param == "published" else MADE_UP / name
        return read_table(file, root=file.parent)

    return read


def roles(table: RawTable) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column in infer_roles(table):
        found.setdefault(column.role, []).append(column.name)
    return found


def read(folder: Path, frame: pd.DataFrame) -> RawTable:
    frame.to_csv(folder / "a.csv", index=False)
    return read_table("a.csv", root=folder)


def by_name(table: RawTable) -> dict[str, InferredColumn]:
    return {column.name: column for column in infer_roles(table)}


@pytest.mark.slow
def test_behaviour_forms_and_demographics_describe_the_marketing_table(read_file: Callable[[str], RawTable]) -> None:
    table = read_file("marketing_campaign.csv")
    found = roles(table)
    assert infer_kind(table).kind == "customers"
    assert found["key"] == ["ID"] and found["date"] == ["Dt_Customer"]
    assert found["ignore"] == ["Z_CostContact", "Z_Revenue"]
    assert found["outcome"] == [*(f"AcceptedCmp{i}" for i in (3, 4, 5, 1, 2)), "Complain", "Response"]
    assert found["descriptor"] == [
        "Year_Birth",
        "Education",
        "Marital_Status",
        "Income",
        "Kidhome",
        "Teenhome",
    ]
    assert len(found["feature"]) == 12 and "NumStorePurchases" in found["feature"]
    units = {column.name: column.unit for column in infer_roles(table)}
    assert units["MntWines"] == units["Income"] == "money"
    assert units["NumWebPurchases"] == "count" and units["Recency"] == "days" and units["Response"] == "yes_no"


@pytest.mark.slow
def test_repeated_customers_with_dates_and_amounts_are_transactions(read_file: Callable[[str], RawTable]) -> None:
    table = read_file("CDNOW_master.txt")
    assert infer_kind(table).kind == "transactions"
    assert roles(table) == {
        "customer": ["customer_id"],
        "date": ["date"],
        "feature": ["number_of_cds"],
        "amount": ["dollar_value"],
    }


@pytest.mark.slow
def test_a_second_identifier_of_the_same_customers_is_ignored(read_file: Callable[[str], RawTable]) -> None:
    found = by_name(read_file("CDNOW_sample.txt"))
    assert found["column_1"].role == "customer" and found["column_5"].role == "amount"
    assert found["column_2"].role == "ignore"
    assert found["column_2"].why == "names the same customers as 'column_1'"


@pytest.mark.slow
def test_many_yes_or_no_columns_are_a_survey(read_file: Callable[[str], RawTable]) -> None:
    table = read_file("mcdonalds.csv")
    found = roles(table)
    assert infer_kind(table).kind == "survey"
    assert len(found["feature"]) == 11
    assert found["descriptor"] == ["Like", "Age", "VisitFrequency", "Gender"]


@pytest.mark.slow
def test_codes_of_web_sessions_are_descriptors_not_numbers(read_file: Callable[[str], RawTable]) -> None:
    found = by_name(read_file("online_shoppers_intention.csv"))
    for name in ("OperatingSystems", "Browser", "Region", "TrafficType"):
        assert (found[name].role, found[name].unit) == ("descriptor", "category")
    assert found["Revenue"].role == "outcome" and found["BounceRates"].unit == "share"
    assert "key" not in {column.role for column in found.values()}


@pytest.fixture
def people(tmp_path: Path) -> RawTable:
    rng = np.random.default_rng(1)
    n = 60
    frame = pd.DataFrame(
        {
            "E-mail": [f"p{i}@example.org" for i in range(n)],
            "first_name": rng.choice(["A", "B", "C"], n),
            "Phone": rng.integers(10**8, 10**9, n),
            "contact": [f"q{i}@example.org" for i in range(n)],
            "remarks": [f"said {i} things, all of them kind" for i in range(n)],
            "wish": [f"wants {i} more of it" for i in range(n)],
            "client_no": rng.permutation(n) + 1000,
            "churned": rng.choice(["yes", "no"], n),
            "orders": rng.poisson(4, n),
            "basket_value": rng.gamma(2, 20, n).round(2),
            "always": 1,
            "never": "",
            "gender": rng.choice(["f", "m"], n),
        }
    )
    return read(tmp_path, frame)


@pytest.mark.slow
def test_private_columns_and_free_text_are_ignored(people: RawTable) -> None:
    found = by_name(people)
    for name in ("E-mail", "first_name", "Phone", "contact", "remarks", "wish"):
        assert found[name].role == "ignore", name
    assert "private" in found["contact"].why and "free text" in found["wish"].why


@pytest.mark.slow
def test_key_outcome_and_constants_of_an_unknown_table(people: RawTable) -> None:
    found = by_name(people)
    assert found["client_no"].role == "key" and found["churned"].role == "outcome"
    assert found["always"].role == found["never"].role == "ignore"
    assert found["gender"].role == "descriptor"
    assert found["orders"].role == found["basket_value"].role == "feature"


def test_a_table_without_a_key_has_none(tmp_path: Path) -> None:
    frame = pd.DataFrame({"visits": [1, 2, 2, 5, 7], "spend": [1.5, 2.5, 3.5, 4.5, 9.25]})
    assert "key" not in roles(read(tmp_path, frame))


def test_events_repeat_a_visitor_without_an_amount(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "visitor_id": [1, 1, 2, 2, 3, 3],
            "time": [f"2020-01-0{i} 10:00:00" for i in range(1, 7)],
            "page": ["home", "cart", "home", "home", "cart", "home"],
            "seconds": [3, 5, 9, 1, 2, 8],
        }
    )
    table = read(tmp_path, frame)
    assert infer_kind(table).kind == "events"
    assert by_name(table)["visitor_id"].role == "customer"


@pytest.mark.slow
def test_orders_with_their_own_key_are_transactions_of_the_customer(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "order_id": range(1, 81),
            "customer": [f"C{i:03d}" for i in rng.integers(1, 30, 80)],
            "ordered": pd.date_range("2020-01-01", periods=80).strftime("%d/%m/%Y"),
            "quantity": rng.integers(1, 5, 80),
            "total": rng.gamma(2, 20, 80).round(2),
        }
    )
    table = read(tmp_path, frame)
    found = by_name(table)
    assert infer_kind(table).kind == "transactions"
    assert found["customer"].role == "customer" and found["order_id"].role == "key"
    assert found["total"].role == "amount" and found["ordered"].role == "date"


@pytest.mark.slow
def test_answers_on_one_scale_are_a_survey(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({f"q{i}": rng.integers(1, 6, 100) for i in range(8)}).assign(age=rng.integers(18, 80, 100))
    table = read(tmp_path, frame)
    assert infer_kind(table).kind == "survey"
    assert len(roles(table)["feature"]) == 8 and roles(table)["descriptor"] == ["age"]


@pytest.mark.slow
def test_order_of_columns_does_not_change_roles(people: RawTable, tmp_path: Path) -> None:
    frame = people.frame[people.frame.columns[::-1]]
    again = by_name(read(tmp_path, frame))
    before = by_name(people)
    assert {name: column.role for name, column in again.items()} == {n: c.role for n, c in before.items()}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("MntWines", "Mnt wines"),
        ("visit_frequency", "Visit frequency"),
        ("customerID", "Customer ID"),
        ("größe", "Größe"),
    ],
)
def test_labels_are_words(name: str, label: str) -> None:
    assert label_of(name) == label
