"""A study gives the same customers and the same report on PySpark as on DuckDB."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from analysis.base.run import TESTS
from analysis.commands.build import build
from analysis.customers.assembly import assemble
from analysis.customers.engines.frames import Engine
from analysis.customers.engines.sessions import execute_on
from analysis.settings.load import check_study
from analysis.settings.models import ENGINES
from analysis.sources.synthetic.retailer import write_retailer
from analysis.sources.tables import read_table

pytestmark = pytest.mark.spark

ROOT = Path(__file__).resolve().parents[2]
ROWS = """who,at,paid,sales channel,pages,plan,state,until,visits,balance
a1,2023-01-05 10:00,12.50,web,3,Basic,active,,4,100.5
b2,2023-01-20 11:00,7.25,store,1,Pro,active,2023-06-30,0,20
a1,2023-02-11 09:30,30.10,web,8,Pro,active,2023-03-01,2,
c3,2023-03-02 18:00,4.00,web,2,Basic,cancelled,,1,7
a1,2023-03-02 18:10,-4.00,store,5,Pro,active,,0,90.25
,2023-03-03 18:10,5.00,store,5,Pro,active,,0,90
b2,2023-03-28 12:00,19.99,web,6,Basic,active,2030-01-01,5,31
"""
KINDS = {
    "transactions": {"date": "at", "amount": "paid", "channel": "sales channel"},
    "events": {"date": "at", "event": "plan"},
    "sessions": {"date": "at", "pages": "pages"},
    "subscriptions": {"date": "at", "amount": "paid", "plan": "plan", "status": "state", "end": "until"},
    "panel": {"date": "at"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_customers_of_every_kind_of_rows_agree(spark: Engine, tmp_path: Path, kind: str) -> None:
    (tmp_path / "rows.csv").write_text(ROWS, encoding="utf-8")
    raw = read_table("rows.csv", root=tmp_path)
    measures = {"totals": ["paid", "visits"], "balances": ["balance"]} if kind == "panel" else {}
    columns = {"customer": "who", **KINDS[kind]}
    study = check_study({"title": "x", "sources": [{"path": "x", "kind": kind, "columns": columns, **measures}]})
    made = []
    for engine in ENGINES:
        with execute_on(engine):
            made.append(assemble([raw], study))
    ours, theirs = made
    assert len(ours.raw.frame) == 3 and len(ours.raw.frame.columns) > 3
    pd.testing.assert_frame_equal(ours.raw.frame, theirs.raw.frame, rtol=1e-12, atol=1e-12)
    assert (ours.described, ours.ledger, ours.joined, ours.levels) == (
        theirs.described, theirs.ledger, theirs.joined, theirs.levels,
    )  # fmt: skip


@pytest.mark.builds
def test_a_build_on_spark_publishes_the_same_report(spark: Engine, tmp_path: Path) -> None:
    texts = []
    for engine in ENGINES:
        root = tmp_path / engine
        shutil.copytree(ROOT / "templates", root / "templates")
        shutil.copytree(ROOT / "site", root / "site")
        write_retailer(root / "data" / "retailer", 400)
        study = yaml.safe_load((ROOT / "_quarto-omnichannel.yml").read_text(encoding="utf-8"))
        study["segmentation"]["max_segments"] = 3
        (root / "_quarto.yml").write_text(yaml.safe_dump(study), encoding="utf-8")
        build(root, effort=TESTS, engine=engine)
        report = json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))
        assert ("pyspark" in report["study"].pop("versions")) is (engine == "spark")
        texts.append(json.dumps(report))
        assert list((root / "build" / "spill").glob("tmp*")) == []
    assert texts[0] == texts[1]
