"""Packages and modules of the code, in the order of the import contract."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.pages.figures import Table

HOME = Path(__file__).resolve().parents[2]
"""Folder of the project, with the Makefile."""
AROUND = frozenset(("base", "settings", "experiments", "manual", "commands"))
"""Packages that support the pipeline without being a step of it."""


@dataclass(frozen=True, slots=True)
class Room:
    """A package of ``analysis/``, or a module directly in it.

    Attributes
    ----------
    name : str
    about : str
        Its purpose, from its docstring.
    side : {"left", "wall", "right", "around"}
        Whether it computes, is the report between computing and showing, shows, or supports the others.
    modules : tuple of str
        Names of its modules; modules of a subpackage are prefixed with its name.
    """

    name: str
    about: str
    side: str
    modules: tuple[str, ...]


def read_rooms() -> tuple[Room, ...]:
    """Read the packages in the order of the contract in ``pyproject.toml``, the lowest layer first."""
    settings = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "rooms")
    names = list(reversed(layers))
    wall = names.index("report")
    rooms = []
    for place, name in enumerate(names):
        folder = HOME / "analysis" / name
        if not folder.is_dir():
            rooms.append(Room(name, purpose_of(name), "around", (name,)))
            continue
        files = [file for file in sorted(folder.rglob("*.py")) if file.name != "__init__.py"]
        modules = tuple(file.relative_to(folder).with_suffix("").as_posix() for file in files)
        side = "around" if name in AROUND else "left" if place < wall else "wall" if place == wall else "right"
        rooms.append(Room(name, purpose_of(f"{name}/__init__"), side, modules))
    return tuple(rooms)


STARTS = (
    ("sources/inputs", "read_inputs"),
    ("pipeline", "make_pages"),
    ("publish/render", "render"),
    ("publish/approval", "approve"),
)
"""Functions that a row of data passes, from the file to the published page."""
OPENED = frozenset(("analyse", "make_pages", "prepare_customers", "gather_customers", "describe_segments"))
"""Functions whose own calls are listed in their place."""


DOCSTRING = re.compile(r'r?"""(.*?)"""', re.DOTALL)
ASIDE = ("read_", "explain_lost", "find_misspelt", "check_", "name_", "mark_", "installed", "recall")
"""Beginnings of functions that handle settings, notes and earlier runs rather than rows of data."""


def list_walk() -> Table:
    """Follow one row of data from file to page: package, function and purpose, read from the code in calling order."""
    steps: dict[tuple[str, str], str] = {}
    for start in STARTS:
        for place, function in _visit(*start):
            if start == (place, function) or not function.startswith(ASIDE):
                # A function that is called twice stands where it is called last.
                steps.pop((place, function), None)
                steps[place, function] = _first_line(place, function)
    rows = tuple((place.partition("/")[0], function, text) for (place, function), text in steps.items())
    return Table(("Package", "Function", "What happens"), rows)


def _visit(module: str, name: str) -> Iterator[tuple[str, str]]:
    if name not in OPENED:
        yield module, name
        return
    tree = _parsed(module)
    imported = {
        alias.asname or alias.name: node.module.removeprefix("analysis.").replace(".", "/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis.") and node.module
        for alias in node.names
    }
    own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for owner, called in _calls(own[name], own):
        # A function of a module that was imported whole, as book.write_pages.
        place = f"{imported[owner]}/{owner}" if owner in imported else "" if owner else imported.get(called, "")
        if place and not place.startswith(("base/", "settings/")) and called.islower():
            yield from _visit(place, called)


def _calls(function: ast.FunctionDef, own: Mapping[str, ast.FunctionDef]) -> Iterator[tuple[str, str]]:
    """Yield the functions that a function calls, in order, each with the module before it; own ones are followed."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    for node in sorted(found, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0)):
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            yield node.func.value.id, node.func.attr
        elif isinstance(node.func, ast.Name):
            name = node.func.id
            if name in own and (name.startswith("_") or name in OPENED):
                yield from _calls(own[name], own)
            else:
                yield "", name


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse((HOME / "analysis" / f"{module}.py").read_text(encoding="utf-8"))


def _first_line(module: str, name: str) -> str:
    text = (HOME / "analysis" / f"{module}.py").read_text(encoding="utf-8")
    # Read as text, because every build asks for many modules, and parsing them takes longer.
    declared = re.search(rf"^(?:def|class) {name}\b", text, re.MULTILINE)
    docstring = DOCSTRING.search(text, declared.end()) if declared else None
    return " ".join(docstring[1].split("\n\n")[0].split()) if docstring else ""


def list_modules(room: Room) -> Table:
    """List the modules of a package with their purpose."""
    folder = HOME / "analysis" / room.name
    place = f"{room.name}/" if folder.is_dir() else ""
    return Table(("Module", "Purpose"), tuple((module, purpose_of(f"{place}{module}")) for module in room.modules))


def purpose_of(module: str) -> str:
    """Return the first paragraph of a module's docstring, or an empty string.

    Parameters
    ----------
    module : str
        Path below ``analysis/``, without the suffix.
    """
    text = (HOME / "analysis" / f"{module}.py").read_text(encoding="utf-8")
    # Parsing 250 modules for their first lines would take half a second of each build.
    docstring = DOCSTRING.match(text)
    return " ".join(docstring[1].split("\n\n")[0].split()) if docstring else ""
