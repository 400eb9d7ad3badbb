"""From a file to pages: the same in gives the same out, everybody has a segment, every kind of study gets through."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.base.run import TESTS
from analysis.cli import app
from analysis.commands.build import build
from analysis.pages import book
from analysis.pages.book import SYNTHETIC
from analysis.report.model import Report
from analysis.settings.load import check_study, merge
from analysis.sources.synthetic.twin import write_twin
from tests.conftest import BuiltSite, copy_project
from tests.small_studies import SHOP, build_quickly, build_report, make_shop, render_and_check, write_study
from tests.stages import little_work

FEW = pytest.mark.parametrize("built_site", ["few customers"], indirect=True)
FEATURE = {"feature": ["orders", "discount", "visits"]}


def files_of(folder: Path) -> dict[str, bytes]:
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {
        name: data for name, data in found.items() if name != ".lock" and not name.startswith(("kept/", "last-site/"))
    }


def read_build(root: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    report = json.loads((root / "build" / "report.json").read_text(encoding="utf-8"))
    return report, pd.read_parquet(root / "build" / "memberships.parquet")


def pages_of(site: Path) -> dict[str, str]:
    """Give the text of each page; the redirect at the root is none."""
    found = {p.relative_to(site).as_posix(): p.read_text(encoding="utf-8") for p in site.rglob("*.html")}
    return {name: text for name, text in found.items() if name != "index.html"}


@pytest.fixture
def shop(project: Path) -> Callable[..., Report]:
    """Build the shop's study with other settings."""

    def make(settings: dict[str, Any], customers: pd.DataFrame | None = None) -> Report:
        write_study(project, settings, customers)
        return build_report(project)

    return make


@pytest.fixture
def no_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "write_pages", lambda *_: [])


def write_database(file: Path, customers: pd.DataFrame) -> None:
    with sqlite3.connect(file) as connection:
        customers.to_sql("customers", connection, index=False, if_exists="replace")
    connection.close()


@pytest.mark.usefixtures("no_pages")
def test_an_address_in_the_settings_is_read_anew_each_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = {**SHOP["sources"][0], "path": "sqlite:///shop.db", "query": "customers"}
    study = check_study({**SHOP, "sources": [source]})
    monkeypatch.setattr("analysis.commands.build.load_study", lambda root: study)
    write_database(project / "shop.db", make_shop(90))
    assert build_quickly(project).data == "shop.db"
    write_database(project / "shop.db", make_shop(120))
    again = build_quickly(project)
    assert again.fresh and len(read_build(project)[1]) == 120


@pytest.mark.usefixtures("no_pages")
def test_a_change_in_any_file_of_a_pattern_makes_a_new_build(project: Path) -> None:
    source = {**SHOP["sources"][0], "path": "data/shop-*.csv"}
    write_study(project, {**SHOP, "sources": [source]})
    (project / "data/shop-*.csv").unlink()
    table = make_shop(120)
    table[:60].to_csv(project / "data/shop-1.csv", index=False)
    table[60:110].to_csv(project / "data/shop-2.csv", index=False)
    assert build_quickly(project).fresh and not build_quickly(project).fresh
    table[60:].to_csv(project / "data/shop-2.csv", index=False)
    assert build_quickly(project).fresh and len(read_build(project)[1]) == 120


@FEW
def test_two_builds_from_scratch_give_the_same_bytes(built_site: BuiltSite, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "elsewhere" / "another name")
    write_twin(other / "data", built_site.n_customers)
    with little_work():
        build(other, effort=TESTS, app=app)
    for folder in ("site", "build"):
        first, second = files_of(built_site.root / folder), files_of(other / folder)
        assert sorted(first) == sorted(second)
        assert [name for name in first if first[name] != second[name]] == []


def test_another_label_is_on_the_pages_without_a_new_analysis(project: Path, no_pages: None) -> None:
    told: dict[str, list[str]] = {}

    @contextlib.contextmanager
    def stage(name: str) -> Iterator[Callable[[str], None]]:
        yield told.setdefault(name, []).append

    def analyse(settings: dict[str, Any]) -> tuple[list[str], dict[str, Any], bytes]:
        told.clear()
        write_study(project, settings)
        build_quickly(project, stage=stage)
        members = (project / "build" / "memberships.parquet").read_bytes()
        return told["Gather evidence"], json.loads((project / "build" / "report.json").read_text("utf-8")), members

    source = SHOP["sources"][0]
    labelled = {**SHOP, "sources": [{**source, "labels": {"orders": "Times they bought"}}]}
    worked, first, members = analyse(SHOP)
    assert "fits" in worked
    worked, second, same = analyse(labelled)
    assert worked == []
    assert same == members
    assert "Times they bought" in {v["label"] for v in second["variables"]}
    assert second["change"] == first["change"]
    assert second["decision"] == first["decision"]
    worked, _, _ = analyse({**labelled, "seed": 5})
    assert "fits" in worked, "another seed is another analysis"


def test_every_customer_has_one_row_and_the_sizes_add_up(built_site: BuiltSite) -> None:
    report, memberships = read_build(built_site.root)
    customers = pd.read_csv(built_site.root / "data" / "marketing_campaign.csv", sep="\t")
    assert list(memberships.columns[:2]) == ["key", "segment"]
    assert sorted(memberships["key"].astype(str)) == sorted(customers["ID"].astype(str))
    sizes = {s["id"]: s["n"] for s in report["segments"]} | {0: report["unassigned"]}
    exact = dict.fromkeys(sizes, 0) | memberships["segment"].value_counts().to_dict()
    # Of a public site, sizes are rounded to the nearest five.
    step = 1 if dict(map(lambda setting: setting[:2], report["study"]["settings"]))["disclosure"] == "internal" else 5
    assert sizes.keys() == exact.keys()
    assert all(n == step * round(n / step) and abs(n - exact[k]) <= step / 2 for k, n in sizes.items())
    assert sum(exact.values()) == len(customers)
    assert abs(report["study"]["n_customers"] - len(customers)) <= step / 2


def test_the_report_keeps_its_names(built_site: BuiltSite) -> None:
    report, _ = read_build(built_site.root)
    assert {"study", "ledger", "decision", "verdict", "evidence", "segments"} <= set(report)
    assert {"algorithm", "k", "fixed", "reasons"} <= set(report["decision"])
    assert {"kind", "sentence"} <= set(report["verdict"])
    assert report["verdict"]["kind"] in {"natural", "reproducible", "constructive", "none"}
    assert [row["k"] for row in report["evidence"]["by_k"]] == list(range(2, TESTS.most_segments + 1))
    for row in report["evidence"]["by_k"]:
        assert {"k", "wcss", "silhouette", "stability"} <= set(row)
    for segment in report["segments"]:
        assert {"id", "slug", "name", "n", "share"} <= set(segment)
    assert [s["id"] for s in report["segments"]] == list(range(1, report["decision"]["k"] + 1))
    sizes = [s["n"] for s in report["segments"]]
    assert sizes == sorted(sizes, reverse=True)


def test_the_ledger_adds_up(built_site: BuiltSite) -> None:
    ledger = read_build(built_site.root)[0]["ledger"]
    assert ledger[0]["rows_in"] == built_site.n_customers
    assert [line["rows_in"] for line in ledger[1:]] == [line["rows_out"] for line in ledger[:-1]]
    assert ledger[-1]["rows_out"] == built_site.n_customers


@FEW
def test_a_twins_site_says_on_every_page_that_it_is_synthetic(built_site: BuiltSite) -> None:
    shown = pages_of(built_site.site)
    assert {"404.html", "site/manual/reproduce.html", "site/segments/index.html"} <= set(shown)
    own = {name: text for name, text in shown.items() if 'http-equiv="refresh"' not in text}
    assert len(own) > 25
    assert [name for name, text in own.items() if SYNTHETIC not in text] == []


@pytest.mark.usefixtures("no_pages")
def test_a_twin_under_another_name_is_still_synthetic(project: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "customers of ours.csv"
    renamed.write_bytes(write_twin(tmp_path / "twin", 120).read_bytes())
    assert build_report(project, renamed).study.synthetic


def test_real_data_are_not_called_synthetic(project: Path, tmp_path: Path) -> None:
    twin = pd.read_csv(write_twin(tmp_path / "twin", 120), sep="\t")
    real = tmp_path / "marketing_campaign.csv"
    twin.assign(MntWines=twin["MntWines"] + 1).to_csv(real, sep="\t", index=False)
    assert not build_report(project, real).study.synthetic
    assert render_and_check(project) == []
    shown = pages_of(project / "_site")
    assert [name for name, text in shown.items() if "Synthetic demonstration" in text] == []
    assert [name for name, text in shown.items() if 'class="notice"' in text] == []


STUDIES: dict[str, dict[str, Any]] = {
    "ward": {"algorithm": "ward"},
    "dbscan": {"algorithm": "dbscan"},
    "three segments on robust scales": {"segments": 3, "scaling": "robust"},
    "two segments without a value": {"segments": 2, "value": None, "scaling": "minmax"},
    "one weight, drawn in, nearest": {"near_copies": "weigh", "outliers": "winsorise", "missing": "knn"},
    "estimated, nothing left out": {"near_copies": "keep", "noise": "keep", "outliers": "none", "missing": "iterative"},
    "raw scales in money": {"scaling": "none", "currency": "€", "period": "in 2025", "max_segments": 3},
}
"""Settings laid over the shop's."""


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_of_each_kind_gets_through(name: str, shop: Callable[..., Report], project: Path) -> None:
    settings = STUDIES[name]
    report = shop(merge(SHOP, settings))
    assert render_and_check(project) == []
    told = 10 if 0 < report.unassigned < 10 else 1
    assert all(s.n % told == 0 for s in report.segments)
    assert sum(s.n for s in report.segments) + report.unassigned == pytest.approx(
        180, abs=told * len(report.segments) / 2
    )
    assert report.decision.fixed == ("segments" in settings or "algorithm" in settings)
    assert report.decision.algorithm == settings.get("algorithm", report.decision.algorithm)
    assert report.decision.k == settings.get("segments", report.decision.k)
    assert report.study.scaling == settings.get("scaling", "standard")


def test_the_planted_groups_are_found_again(shop: Callable[..., Report], project: Path) -> None:
    report = shop(SHOP)
    assert report.decision.k == 3
    assert [s.n for s in report.segments] == pytest.approx([90, 60, 30], abs=4)
    assert render_and_check(project) == []


def test_a_single_feature_gets_through(shop: Callable[..., Report], project: Path) -> None:
    source = {**SHOP["sources"][0], "roles": {"feature": ["orders"], "descriptor": ["spend"]}, "units": {}}
    report = shop({**SHOP, "sources": [source]})
    assert len(report.steps) == 1
    assert render_and_check(project) == []


def test_features_alone_get_through(shop: Callable[..., Report], project: Path) -> None:
    source = {"path": "data/shop.csv", "key": "customer", "roles": FEATURE}
    report = shop({"title": "Features only", "sources": [source]})
    assert not report.categories
    assert render_and_check(project) == []


def test_sixty_customers_without_a_key_get_through(shop: Callable[..., Report], project: Path) -> None:
    source = {k: v for k, v in SHOP["sources"][0].items() if k != "key"}
    report = shop({**SHOP, "segments": 2, "min_customers": 10, "sources": [source]}, make_shop(60))
    assert sum(s.n for s in report.segments) + report.unassigned == 60
    assert render_and_check(project) == []
