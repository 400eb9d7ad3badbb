"""Five sources in twenty lines of settings: what is left out is inferred, told, or asked for."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.base.errors import InputError
from analysis.customers.assembly import assemble
from analysis.pages.book import write_pages
from analysis.pages.charts.compare_value import expected_spend, rfm_grid
from analysis.report.model import Report
from analysis.settings.load import check_study
from analysis.settings.models import Study
from analysis.sources.draft import complete_study, explain_rows
from analysis.sources.synthetic.retailer import make_retailer
from analysis.sources.tables import RawTable, read_table
from tests.stages import ROOT, plain_pages, take_through

SETTINGS = """
title: Five sources
currency: "€"
value: spend
sources:
  - path: data/customers.csv
    plausible: {birth_year: [1920, 2010]}
  - path: data/orders-*.csv
    kind: transactions
  - path: data/survey.csv
    kind: survey
  - path: data/events.csv
    kind: events
  - path: data/crm.csv
    labels: {credit_score: Credit score}
"""


def write_sources(folder: Path, n_customers: int = 400) -> None:
    """Write the retailer's tables, its orders as two files and a table of scores for most customers."""
    made = make_retailer(n_customers, 3)
    folder.mkdir(parents=True)
    half = len(made.orders) // 2
    rng = np.random.default_rng(1)
    keys = made.customers["customer_id"][:-40]
    scores = pd.DataFrame(
        {
            "customer_id": keys,
            "credit_score": rng.integers(300, 850, len(keys)),
            "region": rng.choice(["Inland", "Coast"], len(keys)),
        }
    )
    tables = {"customers": made.customers, "orders-2023": made.orders[:half], "orders-2024": made.orders[half:]}
    for name, table in {**tables, "survey": made.survey, "events": made.events, "crm": scores}.items():
        table.to_csv(folder / f"{name}.csv", index=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("five")
    write_sources(root / "data")
    return root


@pytest.fixture(scope="module")
def report(root: Path) -> Report:
    study = check_study(yaml.safe_load(SETTINGS))
    return take_through(root / "data/customers.csv", study, root).report


@pytest.fixture(scope="module")
def pages(report: Report, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every page as text, entities read."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "templates", folder / "templates")
    shutil.copytree(ROOT / "site/assets", folder / "site/assets")
    with plain_pages():
        files = write_pages(report, folder)
    pages = [f for f in files if f.suffix == ".qmd" and f.relative_to(folder).as_posix() != "site/segments/index.qmd"]
    return {f.stem: html.unescape(f.read_text(encoding="utf-8")) for f in pages}


def tables(root: Path, *sources: dict[str, Any], **settings: Any) -> tuple[list[RawTable], Study]:
    study = check_study({"title": "Shop", "sources": list(sources), **settings})
    return [read_table(root / source.path, root=root) for source in study.sources], study


def test_the_settings_of_five_sources_have_at_most_twenty_lines() -> None:
    assert len(SETTINGS.strip().splitlines()) <= 20
    assert len(yaml.safe_load(SETTINGS)["sources"]) == 5


def test_every_source_describes_or_forms_the_segments(report: Report) -> None:
    roles = {v.name: v.role for v in report.variables}
    formed = {"recency_days", "frequency", "order_value"}
    described = {
        "region",
        "loyalty_card",
        "price_matters",
        "sessions",
        "credit_score",
        "rfm_group",
        "clv",
    }
    assert formed <= {name for name, role in roles.items() if role == "feature"}
    assert described <= {name for name, role in roles.items() if role == "descriptor"}
    assert report.study.n_customers == 400 and report.study.value == "spend"


def test_the_data_page_tells_how_each_source_was_read(pages: dict[str, str]) -> None:
    for words in (
        "2 files of one shape joined",
        "customer_id is the customer (by its name and type)",
        "amount is the amount (by its name and type)",
        "event_type is what happened (by its name and type)",
        "with a negative amount were counted as refunds",
    ):
        assert words in pages["data"]
    assert "orders and visits form the segments" in pages["dictionary"]


def test_customers_that_other_tables_lack_or_do_not_know_are_counted(report: Report) -> None:
    lines = {line.rule: line.touched for line in report.ledger}
    assert lines["crm.csv: customers without a row there"] == 40
    assert lines["crm.csv: customers that the base does not know"] == 0
    assert lines["orders-*.csv: customers that the base does not know"] > 0
    assert sum("Straight-lining" in rule for rule in lines) == 1


def test_expected_spend_stands_on_every_page_that_tells_of_value(report: Report, pages: dict[str, str]) -> None:
    assert report.expected is not None
    assert len(report.expected.segments) == len(report.segments)
    assert "What they are expected to spend" in pages["compare"]
    for s in report.segments:
        page = pages[s.slug]
        assert "expected spend in the next year" in page.lower()
        # Where a segment has too few of every group but one, the groups are not told apart by segment.
        told = any(category.variable == "rfm_group" for category in report.categories)
        assert ("RFM group, most common" in page) == told
        assert bool(re.search(r"RFM group, most common</th><td>[\w' ]+ \(\d", page)) == told
    for name, _ in report.expected.parameters:
        assert f'<th scope="row">{name}</th>' in pages["methodology"]


def test_the_charts_of_expected_spend_and_of_the_grid_show_what_the_report_holds(report: Report) -> None:
    spend, grid = expected_spend(report), rfm_grid(report)
    assert spend is not None and grid is not None and report.rfm is not None
    assert len(spend.table.rows) == len(report.segments) + 1
    assert len(grid.table.rows) == 5 and {len(row) for row in grid.table.rows} == {6}
    hidden = sum(cell.share is None for cell in report.rfm.cells)
    assert sum("not shown" in text for row in grid.table.rows for text in row) == hidden > 0


def test_settings_win_over_what_would_be_inferred(root: Path) -> None:
    orders = {"path": "data/orders-2023.csv", "kind": "transactions", "columns": {"category": "channel"}}
    raws, study = tables(root, {"path": "data/customers.csv", "roles": {"ignore": ["region"]}}, orders)
    whole, reasons = complete_study(raws, study)
    assert whole.sources[1].columns.model_dump(exclude_none=True) == {
        "customer": "customer_id", "date": "date", "amount": "amount", "category": "channel",
    }  # fmt: skip
    assert whole.sources[0].roles == study.sources[0].roles and reasons == {}
    told = explain_rows(raws[1], study.sources[1], whole.sources[1])
    assert "channel is the category (set): 3 different words." in told
    assert not any("(set)" in sentence for sentence in explain_rows(raws[1], None, whole.sources[1]))


def test_columns_that_feed_formulas_get_no_role_of_their_own(root: Path) -> None:
    age = {"label": "Age", "formula": "2025 - birth_year", "role": "descriptor"}
    raws, study = tables(
        root,
        {"path": "data/customers.csv"},
        {"path": "data/orders-2023.csv", "kind": "transactions"},
        features={"age": age},
    )
    whole, _ = complete_study(raws, study)
    assert not any(whole.sources[0].roles.model_dump().values()) and whole.sources[0].key == "customer_id"


def orders(folder: Path, **columns: Any) -> dict[str, Any]:
    table = {"client_id": ["a", "a", "b", "b", "c", "c"], "day": ["2024-01-01", "2024-01-02"] * 3}
    pd.DataFrame({**table, "paid": [1.5, 2, 3, 4, 5, 6.5], **columns}).to_csv(folder / "o.csv", index=False)
    return {"path": "o.csv", "kind": "transactions"}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"shipped": ["2024-02-01", "2024-02-02"] * 3}, ("columns.date", "day, shipped")),
        ({"fee": [0.5, 1, 2, 3, 4, 5]}, ("columns.amount", "paid, fee")),
        ({"buyer_id": ["x", "y", "x", "y", "x", "y"]}, ("columns.customer", "client_id, buyer_id")),
        ({"day": ["soon"] * 6}, ("columns.date", "no column of o.csv")),
    ],
    ids=["two dates", "two amounts", "two customers", "no date"],
)
def test_where_several_columns_could_be_it_the_settings_must_say(
    tmp_path: Path, columns: dict[str, Any], words: tuple[str, ...]
) -> None:
    raws, study = tables(tmp_path, orders(tmp_path, **columns))
    with pytest.raises(InputError) as refused:
        complete_study(raws, study)
    assert all(word in str(refused.value) for word in ("_quarto.yml, segmentation.sources[0]", *words))
    assert len(str(refused.value).splitlines()) <= 5


def people(folder: Path, name: str = "people", keys: tuple[str, ...] = ("a", "b", "c")) -> dict[str, Any]:
    table = pd.DataFrame(
        {"client_id": keys, "town": [f"T{i % 2}" for i in range(len(keys))], "score": range(len(keys))}
    )
    table.to_csv(folder / f"{name}.csv", index=False)
    return {"path": f"{name}.csv"}


def test_a_second_table_with_several_rows_for_a_customer_is_refused_with_the_way_out(tmp_path: Path) -> None:
    raws, study = tables(tmp_path, people(tmp_path), people(tmp_path, "calls", ("a", "a", "b", "c")))
    study, _ = complete_study(raws, study)
    with pytest.raises(
        InputError, match=r"sources\[1\]\.key: .*'client_id' of calls\.csv repeats a key in 1 row"
    ) as told:
        assemble(raws, study)
    assert "kind to transactions or events" in str(told.value)


def test_a_second_table_of_strangers_is_refused(tmp_path: Path) -> None:
    raws, study = tables(tmp_path, people(tmp_path), people(tmp_path, "calls", ("x", "y", "z")))
    study, _ = complete_study(raws, study)
    with pytest.raises(InputError, match=r"calls\.csv: none of its 3 customers is in the table"):
        assemble(raws, study)


def test_roles_and_ranges_of_a_second_table_hold_under_the_name_that_its_column_gets(tmp_path: Path) -> None:
    second = people(tmp_path, "crm") | {
        "key": "client_id", "roles": {"descriptor": ["town"]}, "plausible": {"score": [0, 1]},
    }  # fmt: skip
    raws, study = tables(tmp_path, people(tmp_path) | {"roles": {"ignore": ["town"]}}, second)
    whole = assemble(raws, complete_study(raws, study)[0])
    assert whole.source.roles.descriptor == ("crm_town",) and whole.source.roles.ignore == ("town",)
    assert whole.source.plausible == {"crm_score": (0, 1)}


def test_a_role_for_a_column_that_a_second_table_lacks_names_that_table(tmp_path: Path) -> None:
    second = people(tmp_path, "crm") | {"key": "client_id", "roles": {"descriptor": ["twon"]}}
    raws, study = tables(tmp_path, people(tmp_path), second)
    with pytest.raises(InputError, match=r"sources\[1\]\.roles\.descriptor: column 'twon' is not in crm\.csv"):
        assemble(raws, complete_study(raws, study)[0])
