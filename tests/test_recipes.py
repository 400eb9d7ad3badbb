"""The recipes for extending the project, followed on a copy of it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT, copy_project
from tests.small_studies import SHOP, write_study
from tests.test_architecture import MOST_LINES, MOST_MODULES

RECIPES = re.findall(
    r"^```diff\n\+\+\+ (\S+)\n(.*?)^```",
    (ROOT / "site/manual/extend.qmd").read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)
BUILD = """
import sys
from pathlib import Path
from tests.small_studies import build_report, render_and_check
root = Path.cwd()
build_report(root)
sys.exit("\\n".join(map(str, render_and_check(root))) or 0)
"""

READ = """
from pathlib import Path
from analysis.sources.tables import read_table
table = read_table("data/{}.feather", root=Path.cwd())
print(list(table.frame.columns), table.n_rows, table.notes)
"""


def follow(root: Path, file: str, recipe: str) -> None:
    """Do to a file what a recipe shows; one that shows no place in it makes a new file."""
    path = root / file
    hunks = recipe.split("@@\n")
    if len(hunks) == 1:
        assert not path.exists(), f"{file} is there already"
        path.write_text("".join(line[1:] for line in recipe.splitlines(keepends=True)), encoding="utf-8")
        return
    for hunk in filter(None, hunks):
        lines = hunk.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +"))
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{file} does not hold this once:\n{before}"
        path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Follow all recipes, then build and render a small study."""
    root = copy_project(tmp_path_factory.mktemp("recipes") / "project")
    for file, recipe in RECIPES:
        follow(root, file, recipe)
    write_study(root, SHOP)
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root


def page_of(root: Path, name: str) -> str:
    return html.unescape((root / "_site" / "site" / name).read_text(encoding="utf-8"))


def test_an_algorithm_of_the_recipe_competes(extended: Path) -> None:
    page = page_of(extended, "algorithms.html")
    assert page.count("Bisecting k-means") >= 2
    assert "Halves the loosest segment until there are k." in page


def test_an_algorithm_of_the_recipe_is_a_choice_of_the_settings(extended: Path) -> None:
    assert "or bisecting" in page_of(extended, "manual/settings.html")


def test_a_chart_of_the_recipe_is_on_its_page(extended: Path) -> None:
    page = page_of(extended, "compare.html")
    assert page.count('<figure class="chart" id="chart-segment-sizes"') == 1
    assert "No segment has more customers than “" in page
    assert (extended / "_site/site/assets/charts/chart-segment-sizes.svg").is_file()


def test_a_file_format_of_the_recipe_is_read(extended: Path) -> None:
    table = pd.DataFrame({"customer": [1, 2, 3], "spend": [10.5, 20.0, 31.0]})
    table.to_feather(extended / "data/spend.feather")
    (extended / "data/broken.feather").write_bytes((extended / "data/spend.feather").read_bytes()[:200])
    for file, words in (("spend", "['customer', 'spend'] 3 ('Feather',)"), ("broken", "is a damaged Feather file.")):
        done = subprocess.run([sys.executable, "-c", READ.format(file)], cwd=extended, capture_output=True, text=True)
        assert words in done.stdout + done.stderr


def test_a_page_of_the_recipe_is_rendered_and_linked_and_kept_out_of_git(extended: Path) -> None:
    assert "form three groups" in page_of(extended, "sizes.html")
    assert 'href="sizes.html"' in page_of(extended, "data.html") or "/sizes.html" in page_of(extended, "data.html")
    assert "/site/sizes.qmd" in (extended / ".gitignore").read_text(encoding="utf-8").split("# generated")[1]


def test_a_rule_of_the_recipe_gives_an_action(extended: Path) -> None:
    pages = [page_of(extended, f"segments/{p.name}") for p in (extended / "_site/site/segments").glob("*.html")]
    acted = [page for page in pages if "Ask a few of them why they come" in page]
    assert acted and all("so what moves them moves the total." in page for page in acted)


def test_the_copy_keeps_the_limits_and_rules_of_the_project(extended: Path) -> None:
    for folder in {path.parent for path in (extended / "analysis").rglob("*.py")}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, folder.name
        for path in modules:
            assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, path.name
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "analysis"]
    checked = subprocess.run(ruff, cwd=extended, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_every_recipe_is_one_that_the_project_does_not_follow_yet() -> None:
    assert {file for file, _ in RECIPES} >= {
        "analysis/clustering/algorithms/table.py",
        "analysis/pages/charts/compare.py",
        "analysis/pages/book.py",
        "analysis/sources/readers/formats.py",
    }
    added = [recipe for file, recipe in RECIPES if file != ".gitignore"]
    assert all(re.search(r"^\+", recipe, re.MULTILINE) for recipe in added)
