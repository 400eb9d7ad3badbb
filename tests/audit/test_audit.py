"""The core of the audit over the built default study, and that it can fail."""

from __future__ import annotations

import ast
import copy
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.audit import subjects
from tests.audit.__main__ import main
from tests.audit.comparison import Audit, half_unit, is_close, read_number
from tests.audit.customers import Customers, Study
from tests.audit.pages import Page, read_html, tables_of
from tests.audit.printed_tables import audit_tables
from tests.audit.profiles import audit_differences
from tests.audit.sizes import audit_sizes, audit_weights
from tests.conftest import BuiltSite

HERE = Path(__file__).parent
ALLOWED = {"numpy", "pandas", "scipy", "statsmodels", "sklearn", "duckdb", "yaml", "pytest"}
FEWEST, FEWEST_PRINTED = 3_500, 1_500
"""Numbers that the core compares at least, and of them those that pages print."""

default_twin = pytest.mark.parametrize("built_site", ["default twin"], indirect=True, scope="session")


@pytest.fixture
def study(built_site: BuiltSite) -> Study:
    return Study("default twin", built_site.root)


def imported(path: Path) -> set[str]:
    """Names of modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports from {'.' * node.level}{node.module}"
            names.add(node.module or "")
    return names


def test_the_audit_imports_nothing_that_it_audits() -> None:
    files = sorted(HERE.glob("*.py"))
    assert len(files) > 15
    for path in files:
        for name in imported(path):
            first = name.partition(".")[0]
            own = name.startswith("tests.audit") or (path.name == "test_audit.py" and name == "tests.conftest")
            assert own or first in ALLOWED or first in sys.stdlib_module_names, (path.name, name)


@default_twin
def test_every_number_of_the_default_study_is_what_the_raw_file_gives(study: Study) -> None:
    audit = subjects.run(study, quick=True)
    assert [(c.place, c.what, c.published, c.recomputed) for c in audit.differences()] == []
    assert len(audit.found) >= FEWEST
    assert sum(c.where == "page" for c in audit.found) >= FEWEST_PRINTED
    assert len({c.place for c in audit.found}) > 60


@default_twin
def test_a_number_that_is_changed_in_the_report_is_found(study: Study) -> None:
    report = copy.deepcopy(study.report)
    told = next(d for d in report["segments"][1]["differences"] if d["summary"]["median"] > 1)
    told["summary"]["median"] *= 1.001
    report["segments"][0]["value_total"] += 100
    audit = Audit("changed")
    changed = Study("changed", study.root, report=report, settings=study.settings)
    audit_differences(changed, audit)
    audit_sizes(changed, audit)
    assert {(c.place, c.what) for c in audit.differences()} == {
        ("segment 2", f"{told['variable']}, median"),
        ("sizes and totals", "segment 1, total value"),
    }


@default_twin
def test_a_number_that_is_changed_on_a_page_is_found(study: Study) -> None:
    name = "site/compare.html"
    page = read_html((study.root / "_site" / name).read_text(encoding="utf-8"))
    table = next(t for t in tables_of(page) if t.id == "two-segments-side-by-side")
    label, cell = table.rows[0][0], table.rows[0][2]
    first = cell.split(" ")[0]
    element = next(e for e in page.all("td") if e.text() == cell)
    element.parts = [f"{int(first) + 1}{cell.removeprefix(first)}"]
    changed = Study("changed", study.root, report=study.report, settings=study.settings)
    changed.pages[name] = Page(name, page, tuple(tables_of(page)))
    audit = Audit("changed")
    audit_tables(changed, audit)
    found = [(c.place, c.what) for c in audit.differences()]
    assert found == [(f"{name}, two-segments-side-by-side", f"{label}, group 1, number 1")]


@default_twin
def test_compare_and_the_card_print_the_same_effect_of_a_descriptor(study: Study) -> None:
    tested = study.pages["site/compare.html"].table("is-that-more-than-chance")
    protected = study.pages["site/card.html"].table("fairness-check")
    assert tested is not None and protected is not None
    effects = {label: effect for label, _, _, effect, _ in tested.rows}
    both = [(label, association) for label, _, association, *_ in protected.rows if label in effects]
    assert len(both) >= 3 and {text[0] for _, text in both} == {"ε", "V"}
    assert all(effects[label] == association for label, association in both)


@default_twin
def test_the_command_ends_with_1_where_a_number_differs(
    built_site: BuiltSite, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "default"
    for part in ("build", "data", "templates"):
        shutil.copytree(built_site.root / part, root / part, ignore=shutil.ignore_patterns("kept"))
    shutil.copytree(built_site.site / "site" / "segments", root / "_site" / "site" / "segments")
    shutil.copy(built_site.root / "_quarto.yml", root)
    monkeypatch.setattr(subjects, "QUICK", (audit_sizes,))
    chosen = ["--built", str(tmp_path), "--study", "default", "--quick"]
    assert main(chosen) == 0
    path = root / "build" / "report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    report["segments"][0]["n"] += 1
    path.write_text(json.dumps(report), encoding="utf-8")
    assert main(chosen) == 1
    told = capsys.readouterr().out
    assert "sizes and totals: segment 1, customers: published" in told
    assert "Not covered:" in told and "all " in told


@pytest.mark.parametrize(
    ("text", "actual", "agrees"),
    [
        ("1,169", 1169.4, True),
        ("1,169", 1168.4, False),
        ("46%", 0.4649, True),
        ("46%", 0.466, False),
        ("-0.28", -0.2753, True),
        ("-0.28", 0.28, False),
        ("0.5", 0.55, True),
        ("0.5", 0.5501, False),
    ],
)
def test_a_printed_number_is_held_to_half_a_unit_of_its_last_digit(text: str, actual: float, agrees: bool) -> None:
    value, half = read_number(text)
    assert is_close(value, actual, half) == agrees


def test_a_total_is_held_to_all_of_its_digits() -> None:
    assert half_unit(1_356_988.0) == 0.5
    assert half_unit(1_356_990.0) == 5.0
    assert half_unit(0.123456) == pytest.approx(5e-7)


@pytest.mark.parametrize(("share", "differences"), [(0.6, []), (0.5, ["segment 1, share of the population"])])
def test_what_weighted_figures_rest_on_is_recomputed(share: float, differences: list[str], tmp_path: Path) -> None:
    segments = [{"id": 1, "share": share}, {"id": 2, "share": 0.4}]
    report = {"weighting": {"n_effective": 5, "segments": [3, 2]}, "segments": segments}
    study = Study("weighted", tmp_path, report=report, settings={"sources": [{"weight": "w"}]})
    columns = pd.DataFrame({"w": [2.0, 2.0, 2.0, 1.0, 3.0]})
    labels = np.array([1, 1, 1, 2, 2])
    keys = pd.Index(list("abcde"))
    study.__dict__["customers"] = Customers(keys, labels, columns, columns, [], None, columns)
    audit = Audit("weighted")
    audit_weights(study, audit)
    assert [c.what for c in audit.differences()] == differences and len(audit.found) == 5
