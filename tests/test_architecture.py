"""The walls of the house: imports point one way, pages compute nothing, modules stay readable."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from analysis.manual.architecture import ORDER, STAGES

ANALYSIS = Path(__file__).resolve().parent.parent / "analysis"

PAGES = tuple(module for stage in STAGES if stage.side == "right" for module in stage.modules)
"""Modules that only show what the Report holds."""

MODULES = sorted(ANALYSIS.glob("*.py"))
MOST_LINES = 600


def imports(path: Path) -> set[tuple[str, str]]:
    """Give each (module, name) that a module imports from the package, at its top or within functions."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {(parts[1], "*") for parts in names if parts[0] == "analysis" and len(parts) > 1}
        elif isinstance(node, ast.ImportFrom) and node.module == "analysis":
            found |= {(alias.name, "*") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis."):
            found |= {(str(node.module).split(".")[1], alias.name) for alias in node.names}
    return found


def test_every_module_has_its_place_in_the_order() -> None:
    assert {path.stem for path in MODULES} - set(ORDER) == set(), "give these modules a place in STAGES"
    assert set(ORDER) - {path.stem for path in MODULES} == set()
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_only_from_its_left(path: Path) -> None:
    left = ORDER[: ORDER.index(path.stem)] if path.stem in ORDER else ORDER
    assert {module for module, _ in imports(path)} - set(left) == set()


@pytest.mark.parametrize("name", PAGES)
def test_pages_take_only_types_and_constants_from_before_the_report(name: str) -> None:
    computing = ORDER[ORDER.index("dates") : ORDER.index("report")]
    taken = {f"{module}.{item}" for module, item in imports(ANALYSIS / f"{name}.py") if module in computing}
    functions = {item for item in taken if not item.split(".")[1][0].isupper()}
    assert functions == set(), "compute it left of the Report and show it from there"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines <= MOST_LINES, f"{path.name} has {n_lines} lines: does it hold more than one idea?"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_importing_a_module_does_nothing_that_shows(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    docstring = ast.get_docstring(ast.Module(body=body, type_ignores=[]))
    assert path.stem == "__init__" or docstring, "say in one line what the module is for"
    calls = [node.lineno for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    assert calls == [], f"{path.name} calls something while it is imported"
