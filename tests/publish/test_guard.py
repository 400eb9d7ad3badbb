"""What must not be committed: data files by whoever names them, results of a build, files marked as local."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from analysis.base.errors import InputError
from analysis.cli import main
from analysis.publish.guard import check_staged
from tests.conftest import ROOT
from tests.small_studies import make_shop

FILES = ("my.csv", "orders/2024-01.csv", "shop.db", "last.csv", "data/a.csv", "build/scores.csv", "notes.local.md")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a repository with data files where the settings, a profile and the last build look for them."""
    settings = {
        "_quarto.yml": {"segmentation": {"sources": [{"path": "my.csv"}]}},
        "_quarto-x.yml": {"segmentation": {"sources": [{"path": "orders/*.csv"}, {"path": "sqlite:///shop.db"}]}},
    }
    for name, content in settings.items():
        (tmp_path / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    (tmp_path / "_quarto-broken.yml").write_text("segmentation: [", encoding="utf-8")
    for name in (*FILES, "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a", encoding="utf-8")
    (tmp_path / "build/stamp.json").write_text(json.dumps({"read": ["last.csv"]}), encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_can_hold_customers_is_refused(name: str, root: Path) -> None:
    subprocess.run(["git", "add", "-f", name, "README.md"], cwd=root, check=True)
    for files in (None, [name, "README.md"]):
        with pytest.raises(InputError, match="must not be committed") as refused:
            check_staged(root, files)
        assert f"  {name}: " in str(refused.value) and f"git restore --staged {name}" in str(refused.value)
        assert "README.md" not in str(refused.value)


def test_other_files_may_be_committed(root: Path) -> None:
    subprocess.run(["git", "add", "README.md", "_quarto.yml"], cwd=root, check=True)
    assert check_staged(root) == 2


def test_the_shipped_hook_runs_the_command_and_git_ignores_private_places() -> None:
    hook = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"][0]
    assert hook["entry"].endswith("python -m analysis guard") and hook["language"] == "system"
    rules = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/data/", "/build/", "/exports/", "*.local.*"} <= set(rules)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(root)
    make_shop(60).to_csv(root / "shop.csv", index=False)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["analysis", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return command


def test_the_command_ends_with_code_2_and_one_message(run: Run) -> None:
    code, out, err = run("guard", "my.csv")
    assert (code, out) == (2, "") and "my.csv: it is a source in _quarto.yml" in err
    assert run("guard", "README.md")[0] == 0


@pytest.mark.slow
def test_a_drafted_file_in_the_project_can_be_moved_to_data(run: Run, root: Path) -> None:
    code, _, err = run("init", "shop.csv")
    assert code == 0 and (root / "shop.csv").is_file()
    assert "rm _quarto-shop.yml && python -m analysis init shop.csv --move" in err
    (root / "_quarto-shop.yml").unlink()
    code, _, err = run("init", "shop.csv", "--move")
    assert (code, err) == (0, "") and not (root / "shop.csv").exists() and (root / "data/shop.csv").is_file()
    drafted = yaml.safe_load((root / "_quarto-shop.yml").read_text(encoding="utf-8"))
    assert drafted["segmentation"]["sources"][0]["path"] == "data/shop.csv"


@pytest.mark.slow
def test_on_a_terminal_the_move_is_offered(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda text, default: bool(asked.append(text)) or default)
    assert run("init", "shop.csv")[0] == 0
    assert asked == ["Move shop.csv to data/, which git ignores?"] and (root / "data/shop.csv").is_file()
    (root / "_quarto-shop.yml").unlink()
    assert run("init", "data/shop.csv")[0] == 0
    assert len(asked) == 1
