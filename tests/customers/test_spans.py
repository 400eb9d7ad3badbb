"""Features of subscriptions and panels at their edges, and messages for columns that do not fit."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from analysis.base.errors import InputError
from analysis.customers.spans.panel import panel_features
from analysis.customers.spans.subscriptions import subscription_features
from analysis.settings.sources import RowColumns, Source
from analysis.sources.tables import RawTable, read_table

CONTRACTS = """who,plan,from,to,state,monthly
a,Basic,2023-01-10,,active,10
a,Pro,2023-06-01,2023-12-01,active,20
b,Pro,2023-03-05,2030-01-01,active,30
b,Basic,2023-12-20,,cancelled,40
,Pro,2023-01-01,,active,50
c,Pro,,,active,60
"""
COLUMNS = RowColumns(customer="who", date="from", end="to", status="state", plan="plan", amount="monthly")
MONTHS = """who,month,paid,balance,label
a,2023-01,5,100,x
a,2023-03,7,,y
b,2023-02,1,40,z
b,2023-03,0,50,z
"""


def read(folder: Path, content: str) -> RawTable:
    (folder / "rows.csv").write_text(content, encoding="utf-8")
    return read_table("rows.csv", root=folder)


def test_a_contract_is_active_until_its_end_or_until_its_status_says_otherwise(tmp_path: Path) -> None:
    made = subscription_features(read(tmp_path, CONTRACTS), COLUMNS)
    assert made.as_of == dt.date(2023, 12, 31)
    frame = made.frame
    assert frame["active_contracts"].to_dict() == {"a": 1, "b": 1}
    assert frame["recurring_amount"].to_dict() == {"a": 10, "b": 30}
    assert frame["ended_share"].to_dict() == {"a": 0.5, "b": 0.5}
    assert frame["plan"].to_dict() == {"a": "Pro", "b": "Basic"}
    months = [(dt.date(2023, 12, 31) - dt.date(2023, 1, 10)).days, (dt.date(2023, 12, 1) - dt.date(2023, 6, 1)).days]
    assert frame.loc["a", "contract_value"] == pytest.approx((10 * months[0] + 20 * months[1]) / (365.25 / 12))
    assert frame["contract_value"].isna().to_dict() == {"a": False, "b": True}
    assert made.notes == ("1 rows without a customer were left out.", "1 rows without a date were left out.")


def test_starts_after_the_date_of_the_study_do_not_count(tmp_path: Path) -> None:
    made = subscription_features(read(tmp_path, CONTRACTS), COLUMNS, as_of=dt.date(2023, 7, 1))
    assert made.frame["contracts"].to_dict() == {"a": 2, "b": 1}
    assert made.frame["active_contracts"].to_dict() == {"a": 2, "b": 1}


def test_a_price_without_a_period_makes_no_value(tmp_path: Path) -> None:
    raw = read(tmp_path, CONTRACTS.replace("monthly", "price"))
    made = subscription_features(raw, COLUMNS.model_copy(update={"amount": "price"}))
    assert "contract_value" not in made.frame and "recurring_amount" in made.frame


def test_a_panel_adds_up_amounts_and_takes_the_latest_balance(tmp_path: Path) -> None:
    source = Source(path="rows.csv", kind="panel", totals=("paid",), balances=("balance",),
                    columns=RowColumns(customer="who", date="month"))  # fmt: skip
    frame = panel_features(read(tmp_path, MONTHS), source).frame
    assert frame["paid total"].to_dict() == {"a": 12, "b": 1}
    assert frame["paid periods since last"].to_dict() == {"a": 0, "b": 1}
    assert frame["paid trend"].round(6).to_dict() == {"a": round(2 / 12, 6), "b": -0.0}
    assert frame["balance latest"].to_dict() == {"a": 100, "b": 50}
    assert frame["periods"].to_dict() == {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"date": "plan"}, r"columns\.date: column 'plan' does not contain dates"),
        ({"amount": "plan"}, r"columns\.amount: column 'plan' was read as"),
        ({"end": "state"}, r"columns\.end: column 'state' was read as"),
    ],
)
def test_columns_that_do_not_fit_are_named(columns: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        subscription_features(read(tmp_path, CONTRACTS), COLUMNS.model_copy(update=columns))


@pytest.mark.parametrize(
    ("totals", "message"), [(("label",), "'label' is no column of numbers"), ((), "Set totals or balances")]
)
def test_measures_that_are_no_numbers_are_named(totals: tuple[str, ...], message: str, tmp_path: Path) -> None:
    columns = RowColumns(customer="who", date="month")
    with pytest.raises(InputError, match=message):
        panel_features(read(tmp_path, MONTHS), Source(path="rows.csv", kind="panel", totals=totals, columns=columns))
