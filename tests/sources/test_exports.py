"""Made-up files in the form of known exports are read as what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.base.errors import InputError
from analysis.settings.load import check_study
from analysis.sources.evidence import exports
from analysis.sources.evidence.exports import find_export
from analysis.sources.inputs import read_inputs
from analysis.sources.unknown.readings import describe_reading

N, CUSTOMERS = 240, 40
RNG = np.random.default_rng(11)
WHO = RNG.integers(0, CUSTOMERS, N)
EMAILS = [f"person{i}@example.org" for i in WHO]
NUMBERS = [f"C-{i:04d}" for i in WHO]
DAYS = pd.to_datetime("2024-01-01") + pd.to_timedelta(RNG.integers(0, 400, N), unit="D")
PAID = RNG.gamma(2, 20, N).round(2)
ORDERS = [f"#{1000 + i}" for i in range(N)]
ONE_EACH = [f"id{i:05d}" for i in range(N)]
FEW = RNG.integers(1, 6, N)
COUNTRY = RNG.choice(["DE", "FR", "IT"], N)
ANSWERS = {f"Q{i}": RNG.integers(1, 6, N) for i in range(1, 9)}


def status(done: str, *others: str) -> list[str]:
    """Every tenth row has one of the other states."""
    return [others[i // 10 % len(others)] if i % 10 == 0 else done for i in range(N)]


def iso(form: str = "%Y-%m-%d %H:%M:%S") -> list[str]:
    return list(DAYS.strftime(form))


SHOPIFY = {
    "Name": ORDERS, "Email": EMAILS, "Financial Status": status("paid", "voided", "refunded"),
    "Paid at": iso(), "Currency": "EUR", "Subtotal": PAID, "Shipping": 4.9, "Taxes": (PAID * 0.19).round(2),
    "Total": (PAID + 4.9).round(2), "Created at": iso(), "Lineitem quantity": FEW, "Lineitem name": "Shirt",
    "Lineitem price": PAID, "Billing Zip": "12345", "Phone": "",
}  # fmt: skip
FILES: dict[str, Mapping[str, Any]] = {
    "Shopify orders": SHOPIFY,
    "Shopify customers": {
        "First Name": "A", "Last Name": "B", "Email": [f"p{i}@example.org" for i in range(N)],
        "Accepts Email Marketing": RNG.choice(["yes", "no"], N), "Default Address Country Code": COUNTRY,
        "Total Spent": PAID, "Total Orders": FEW,
    },
    "WooCommerce orders": {
        "Order Number": range(N), "Order Status": status("Completed", "Cancelled", "Failed"), "Order Date": iso(),
        "Email (Billing)": EMAILS, "Cart Discount Amount": 0, "Order Subtotal Amount": PAID,
        "Order Shipping Amount": 5, "Order Total Amount": PAID + 5, "Item #": 1, "Item Cost": PAID,
    },
    "Stripe charges": {
        "id": [f"ch_{i}" for i in range(N)], "Created date (UTC)": iso(), "Amount": PAID, "Amount Refunded": 0.0,
        "Currency": "eur", "Captured": True, "Status": status("Paid", "Failed"), "Customer ID": NUMBERS, "Fee": 0.3,
    },
    "Stripe subscriptions": {
        "id": ONE_EACH, "Customer ID": [f"cus_{i}" for i in range(N)], "Plan": RNG.choice(["basic", "pro"], N),
        "Quantity": FEW, "Currency": "eur", "Interval": "month", "Amount": PAID, "Status": "active",
        "Created (UTC)": iso(), "Cancel At Period End": RNG.choice(["true", "false"], N),
    },
    "Square transactions": {
        "Date": iso("%Y-%m-%d"), "Time": "10:00:00", "Time Zone": "Berlin", "Gross Sales": PAID, "Discounts": 0,
        "Net Sales": PAID, "Tax": 1, "Total Collected": PAID + 1, "Transaction ID": ONE_EACH, "Customer ID": NUMBERS,
    },
    "Magento orders": {
        "entity_id": range(N), "increment_id": range(100000, 100000 + N), "store_id": 1, "customer_email": EMAILS,
        "status": status("complete", "canceled"), "grand_total": PAID, "tax_amount": 1, "created_at": iso(),
    },
    "Amazon orders": {
        "order-id": ONE_EACH, "purchase-date": iso("%Y-%m-%dT%H:%M:%S+00:00"), "buyer-email": EMAILS, "sku": "X",
        "quantity-purchased": FEW, "item-price": PAID, "item-tax": 1.0, "ship-postal-code": "12345",
    },
    "Google Analytics events": {
        "event_date": iso("%Y%m%d"), "event_timestamp": DAYS.as_unit("us").astype("int64"),
        "event_name": RNG.choice(["page_view", "purchase"], N), "user_pseudo_id": [f"{i}.{i + 17}" for i in WHO],
        "platform": "WEB",
    },
    "HubSpot contacts": {
        "Record ID": range(5000, 5000 + N), "First Name": "A", "Email": [f"p{i}@example.org" for i in range(N)],
        "Lifecycle Stage": RNG.choice(["Lead", "Customer"], N), "Create Date": iso(), "Number of Pageviews": FEW,
        "Number of Sessions": FEW[::-1], "Marketing emails opened": RNG.integers(0, 30, N),
    },
    "Salesforce accounts": {
        "Account ID": ONE_EACH, "Account Name": [f"Firm {i}" for i in range(N)], "Annual Revenue": PAID * 1e5,
        "Employees": RNG.integers(1, 900, N), "Billing Country": COUNTRY,
        "Industry": RNG.choice(["Retail", "Energy"], N),
    },
    "Mailchimp audience": {
        "Email Address": [f"p{i}@example.org" for i in range(N)], "MEMBER_RATING": FEW, "OPTIN_TIME": iso(),
        "OPTIN_IP": "", "CC": COUNTRY, "LEID": range(N), "EUID": ONE_EACH,
    },
    "Klaviyo profiles": {
        "Email": [f"p{i}@example.org" for i in range(N)], "Klaviyo ID": ONE_EACH, "Average Order Value": PAID,
        "Historic Customer Lifetime Value": PAID * FEW, "Historic Number Of Orders": FEW,
        "Predicted Customer Lifetime Value": PAID * 3, "Churn Risk Prediction": RNG.random(N),
    },
    "Qualtrics answers": {
        "StartDate": iso(), "EndDate": iso(), "Status": status("IP Address", "Survey Preview"), "Progress": 100,
        "Duration (in seconds)": RNG.integers(60, 900, N), "Finished": "True", "RecordedDate": iso(),
        "ResponseId": ONE_EACH, "LocationLatitude": 52.5, **ANSWERS,
    },
    "SurveyMonkey answers": {
        "Respondent ID": range(9000, 9000 + N), "Collector ID": 77, "Start Date": iso(), "End Date": iso(),
        "IP Address": "", "Email Address": "", **ANSWERS,
    },
    "LimeSurvey answers": {
        "Response ID": range(1, N + 1), "Date submitted": iso(), "Last page": RNG.integers(3, 6, N),
        "Start language": "de", "Seed": RNG.integers(0, 10**9, N), **ANSWERS,
    },
    "Typeform answers": {
        "#": ONE_EACH, **ANSWERS, "Start Date (UTC)": iso(), "Submit Date (UTC)": iso(), "Network ID": ONE_EACH[::-1],
    },
    "Online Retail invoices": {
        "InvoiceNo": range(536000, 536000 + N), "StockCode": "85123A", "Description": "LIGHT HOLDER", "Quantity": FEW,
        "InvoiceDate": iso(), "UnitPrice": PAID, "CustomerID": WHO + 12000, "Country": "United Kingdom",
    },
}  # fmt: skip
KNOWN = yaml.safe_load(Path(exports.__file__).with_suffix(".yml").read_text(encoding="utf-8"))
NOT_TO_FORM = {"Seed", "Last page", "Progress", "Churn Risk Prediction", "Predicted Customer Lifetime Value"}


def write(folder: Path, columns: Mapping[str, Any], name: str = "export.csv") -> None:
    pd.DataFrame(dict(columns), index=range(N)).to_csv(folder / name, index=False)


def parts(name: str) -> Mapping[str, Sequence[str] | str]:
    return next(known["is"].get("columns", {}) for known in KNOWN if known["name"] == name)


def test_every_known_export_has_a_file() -> None:
    assert [known["name"] for known in KNOWN] == list(FILES)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_an_export_is_read_as_what_it_is(name: str, tmp_path: Path) -> None:
    write(tmp_path, FILES[name])
    reading = describe_reading("export.csv", tmp_path)
    known = next(each for each in KNOWN if each["name"] == name)
    source = known["is"]
    assert reading["asked"] == []
    assert reading["table"] == source["kind"]
    forming = {column["name"] for column in reading["columns"] if column["forms"]}
    if source["kind"] in ("transactions", "events"):
        own = source["columns"]
        assert reading["customer"] in np.ravel(own["customer"])
        assert reading["date"] == own["date"]
        if "amount" in own:
            assert reading["amount"] == own["amount"]
        assert reading["n_customers"] <= CUSTOMERS and not forming
    else:
        assert reading["key"] == source["key"]
        asked = set(source["roles"].get("feature", ANSWERS)) & set(FILES[name])
        assert forming >= asked
        assert reading["value"] == known.get("value")
    assert not forming & NOT_TO_FORM
    left_out = {column: set(values) for column, values in source.get("leave_out", {}).items()}
    for column, values in left_out.items():
        rows = sum(value in values for value in FILES[name][column])
        assert rows and reading["n_rows"] == N - rows


@pytest.mark.parametrize("name", FILES)
def test_an_export_is_known_whatever_the_case_and_order_of_its_columns(name: str) -> None:
    columns = [column.upper() for column in FILES[name]][::-1]
    found = find_export(columns)
    assert found is not None and found.name == name
    assert set(found.columns.values()) <= set(columns)


def test_an_export_without_one_of_its_columns_is_an_unknown_table() -> None:
    assert find_export([column for column in SHOPIFY if column != "Financial Status"]) is None


@pytest.mark.slow
def test_a_draft_reads_an_export_to_customers_with_price_times_quantity(tmp_path: Path) -> None:
    write(tmp_path, FILES["Online Retail invoices"])
    study = check_study({"title": "Shop", "sources": [{"path": "other.csv", "key": "another"}]})
    inputs, study = read_inputs(tmp_path, study, [tmp_path / "export.csv"], False, True)
    columns = study.sources[0].columns
    assert columns.amount == "UnitPrice × Quantity"
    frame = inputs.tables[0].frame
    assert frame[columns.amount].to_numpy() == pytest.approx((PAID * FEW).round(6))


@pytest.mark.slow
def test_totals_that_stand_in_the_first_line_of_an_order_count_once(tmp_path: Path) -> None:
    lines = pd.DataFrame(dict(SHOPIFY), index=range(N))
    more = lines.assign(**{"Total": np.nan, "Financial Status": np.nan, "Lineitem name": "Socks"})
    pd.concat([lines, more]).sort_values("Name", kind="stable").to_csv(tmp_path / "export.csv", index=False)
    study = check_study({"title": "Shop", "sources": [{"path": "other.csv", "key": "another"}]})
    inputs, study = read_inputs(tmp_path, study, [tmp_path / "export.csv"], False, True)
    kept = lines[~lines["Financial Status"].isin(["voided", "refunded"])]
    assert inputs.tables[0].frame["Total"].sum() == pytest.approx(kept["Total"].sum())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"price": "UnitPrice"}, "price needs the column of the quantity"),
        ({"price": "UnitPrice", "quantity": "Quantity", "amount": "Total"}, "amount and price are both set"),
    ],
)
def test_a_price_needs_a_quantity_and_no_amount(columns: dict[str, str], message: str) -> None:
    source = {"path": "a.csv", "kind": "transactions", "columns": {"customer": "a", "date": "b", **columns}}
    with pytest.raises(InputError, match=message):
        check_study({"title": "Shop", "sources": [source]})


@pytest.mark.parametrize(("price", "message"), [("Prize", "column 'Prize' is not in"), ("Country", "holds no numbers")])
def test_a_price_that_is_no_number_is_refused(price: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, FILES["Online Retail invoices"], "orders.csv")
    columns = {"customer": "CustomerID", "date": "InvoiceDate", "price": price, "quantity": "Quantity"}
    study = check_study({"title": "S", "sources": [{"path": "orders.csv", "kind": "transactions", "columns": columns}]})
    with pytest.raises(InputError, match=message):
        read_inputs(tmp_path, study, [tmp_path / "orders.csv"], False, False)
