"""The shape of the house: few modules a room, short modules and functions. `make lint` holds imports and complexity."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ANALYSIS = Path(__file__).resolve().parent.parent / "analysis"
MODULES = sorted(ANALYSIS.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})
AT_THE_TOP = {"__init__", "__main__", "cli", "pipeline"}
"""Modules that stand directly in ``analysis/``: they put the rooms together."""
MOST_MODULES = 13
MOST_LINES = 450
LONGER: dict[str, str] = {}
"""Modules that may be longer, each with the reason why it cannot be split by its ideas."""
MOST_LINES_OF_A_FUNCTION, MOST_ARGUMENTS = 60, 8
Function = ast.FunctionDef | ast.AsyncFunctionDef


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


def functions() -> Iterator[tuple[str, Function]]:
    """Yield every function and method of the project with its place."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function):
                yield f"{name_of(path)}.py:{node.lineno} {node.name}", node


def n_lines(function: Function) -> int:
    """Count the lines of a function from its name to its end, docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def n_arguments(function: Function) -> int:
    """Count the arguments that a caller may give; a method is given its object by the language."""
    a = function.args
    named = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return len(named) - (named[:1] in (["self"], ["cls"])) + (a.vararg is not None) + (a.kwarg is not None)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES or name_of(path) in LONGER, f"{path.name} has {lines} lines: does it hold more ideas?"


def test_a_module_that_may_be_longer_is_longer_and_says_why() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert all(lengths[name] > MOST_LINES and reason for name, reason in LONGER.items())


@pytest.mark.slow
def test_a_function_fits_a_screen() -> None:
    longest = sorted(((n_lines(function), place) for place, function in functions()), reverse=True)
    print("\n".join(f"{lines} lines  {place}" for lines, place in longest[:10]))
    assert [f"{place}: {lines} lines" for lines, place in longest if lines > MOST_LINES_OF_A_FUNCTION] == []


@pytest.mark.slow
def test_a_function_takes_few_arguments() -> None:
    most = sorted(((n_arguments(function), place) for place, function in functions()), reverse=True)
    print("\n".join(f"{arguments} arguments  {place}" for arguments, place in most[:10]))
    assert [f"{place}: {arguments} arguments" for arguments, place in most if arguments > MOST_ARGUMENTS] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_importing_a_module_does_nothing_that_shows(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    docstring = ast.get_docstring(ast.Module(body=body, type_ignores=[]))
    assert path.parent == ANALYSIS or docstring, "say in one line what the module is for"
    calls = [node.lineno for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    assert calls == [], f"{path.name} calls something while it is imported"
