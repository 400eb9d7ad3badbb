"""The shape of the house: few modules a room, each short enough to read. Imports are held by `make lint`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ANALYSIS = Path(__file__).resolve().parent.parent / "analysis"
MODULES = sorted(ANALYSIS.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})
AT_THE_TOP = {"__init__", "__main__", "build", "cli", "pipeline", "stamp"}
"""Modules that stand directly in ``analysis/``: they put the rooms together."""
MOST_MODULES = 13
MOST_LINES = 600


def name_of(path: Path) -> str:
    """Give the place of a module or folder in the project."""
    return path.relative_to(ANALYSIS.parent).as_posix().removesuffix(".py")


def test_only_what_puts_the_rooms_together_stands_at_the_top() -> None:
    assert {path.stem for path in ANALYSIS.glob("*.py")} == AT_THE_TOP


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_room_has_few_modules_and_says_what_it_is_for(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, "does this package hold more than one subject?"
    init = folder / "__init__.py"
    assert init.is_file()
    assert folder == ANALYSIS or ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines <= MOST_LINES, f"{path.name} has {n_lines} lines: does it hold more than one idea?"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_importing_a_module_does_nothing_that_shows(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    docstring = ast.get_docstring(ast.Module(body=body, type_ignores=[]))
    assert path.parent == ANALYSIS or docstring, "say in one line what the module is for"
    calls = [node.lineno for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    assert calls == [], f"{path.name} calls something while it is imported"
