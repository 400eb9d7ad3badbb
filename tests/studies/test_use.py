"""A study that prefers use and cuts its segments in halves: report, pages, memberships, scores and rules agree."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.assignment.model import read_model
from analysis.assignment.scoring import score
from analysis.base.errors import InputError
from analysis.report.model import Report
from analysis.sources.tables import read_table
from tests.conftest import copy_project
from tests.small_studies import SHOP, build_report, make_shop, render_and_check, write_study

N = 600
SETTINGS = {**SHOP, "prefer": "use", "tiers": "value", "disclosure": "internal"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report, pd.DataFrame]:
    root = copy_project(tmp_path_factory.mktemp("use") / "project")
    customers = make_shop(N)
    rng = np.random.default_rng(1)
    customers["responded"] = (rng.random(N) < np.where(customers["spend"] > 350, 0.7, 0.2)).astype(int)
    write_study(root, SETTINGS, customers)
    return root, build_report(root), customers


def memberships(root: Path, customers: pd.DataFrame) -> pd.DataFrame:
    members = pd.read_parquet(root / "build" / "memberships.parquet")
    return members.merge(customers, left_on="key", right_on="customer", validate="one_to_one")


@pytest.mark.builds
@pytest.mark.slow
def test_halves_are_cut_at_the_median_of_each_segment(built: Any) -> None:
    root, report, customers = built
    members, table = memberships(root, customers), report.tiers
    assert table.variable == "spend" and any(cut is not None for cut in table.cuts)
    for s, cut in zip(report.segments, table.cuts, strict=True):
        own = members[members["segment"] == s.id]
        if cut is None:
            assert own["tier"].isna().all()
            continue
        assert cut == pytest.approx(own["spend"].median(), rel=1e-5)
        assert (own["tier"] == np.where(own["spend"] > cut, "higher", "lower")).all()
    for tier in table.tiers:
        own = members[(members["segment"] == tier.segment) & (members["tier"] == tier.name)]
        assert tier.n == len(own) >= 20 and tier.share == pytest.approx(len(own) / N, rel=1e-5)
        assert tier.value == pytest.approx(own["spend"].mean(), rel=1e-5)
        assert tier.value_share == pytest.approx(own["spend"].sum() / members["spend"].sum(), rel=1e-5)
        if table.outcomes:
            assert tier.rates == pytest.approx((own["responded"].mean(),), rel=1e-5)


@pytest.mark.builds
@pytest.mark.slow
def test_new_customers_get_the_half_that_the_study_gave(built: Any) -> None:
    root, _, customers = built
    members = memberships(root, customers).set_index("key")
    found = score([read_table(root / "data" / "shop.csv", root=root)], read_model(root / "build" / "model.json"))
    found = found.set_index("key").loc[members.index]
    assert (found["segment"] == members["segment"]).all()
    assert found["tier"].fillna("").tolist() == members["tier"].fillna("").tolist()
    without = root / "data" / "without.csv"
    customers.drop(columns="spend").to_csv(without, index=False)
    with pytest.raises(InputError, match="column 'spend' is not in"):
        score([read_table(without, root=root)], read_model(root / "build" / "model.json"))


@pytest.mark.builds
@pytest.mark.slow
def test_exported_rules_find_the_half(built: Any) -> None:
    root, report, customers = built
    members, folder = memberships(root, customers).set_index("key"), root / "site" / "downloads"
    rule = json.loads((folder / "segment_rule.json").read_text(encoding="utf-8"))
    cuts = {cut["segment"]: cut["at_most"] for cut in rule["tiers"]["cuts"]}
    assert cuts == {i: cut for i, cut in enumerate(report.tiers.cuts, start=1) if cut is not None}
    assert "tiers" in json.loads((folder / "segment_rule.schema.json").read_text(encoding="utf-8"))["properties"]
    with duckdb.connect() as database:
        database.register("customers", customers)
        placed = database.execute((folder / "segment_tree.sql").read_text(encoding="utf-8")).df()
    placed = placed.set_index("customer_key").loc[members.index]
    same = placed["segment"] == members["segment"]
    assert same.mean() > 0.8
    assert placed["tier"].fillna("")[same].tolist() == members["tier"].fillna("")[same].tolist()
    spec = importlib.util.spec_from_file_location("segment_rule", folder / "segment_rule.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for segment, spend, tier in members[["segment", "spend", "tier"]].head(40).itertuples(index=False):
        assert (module.find_tier(segment, spend) or "") == ("" if pd.isna(tier) else tier)
    assert module.find_tier(next(iter(cuts)), None) == "lower"


@pytest.mark.builds
@pytest.mark.slow
def test_pages_show_ties_and_halves_and_pass_the_publication_check(built: Any) -> None:
    root, report, _ = built
    assert render_and_check(root) == []
    compare = (root / "site" / "compare.qmd").read_text(encoding="utf-8")
    assert "## Segments in halves" in compare and "higher spend" in compare
    halved = next(s for s, cut in zip(report.segments, report.tiers.cuts, strict=True) if cut is not None)
    assert "In two halves" in (root / "site" / "segments" / f"{halved.slug}.qmd").read_text(encoding="utf-8")
    evidence = (root / "site" / "evidence.qmd").read_text(encoding="utf-8")
    assert ("## Solutions that tie" in evidence) == (report.evidence.use is not None)


@pytest.mark.builds
@pytest.mark.slow
def test_the_proof_is_of_customers_who_did_not_choose(built: Any) -> None:
    _, report, _ = built
    target = report.proof.outcomes[0]
    assert target.tiers.startswith("Segments in halves by spend (")
    assert "tiers" in [s.name for s in target.scores]
    use = report.evidence.use
    assert target.n + (use.n if use else 0) == N


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tiers": "value", "value": None}, "tiers by value need a customer value"),
        ({"tiers": "recency"}, "tiers by recency need the time since the last purchase"),
        ({"prefer": "use", "roles": {"feature": ["orders", "visits"]}}, "no outcome and no transactions"),
    ],
)
@pytest.mark.builds
def test_what_the_study_does_not_have_is_refused(project: Path, settings: dict[str, Any], message: str) -> None:
    made = {**SHOP, **{name: value for name, value in settings.items() if name != "roles"}}
    if "roles" in settings:
        made["sources"] = [{**SHOP["sources"][0], "roles": {**SHOP["sources"][0]["roles"], "outcome": []}}]
    write_study(project, {name: value for name, value in made.items() if value is not None})
    assert "segmentation" in yaml.safe_load((project / "_quarto.yml").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match=message):
        build_report(project)
