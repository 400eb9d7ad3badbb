"""Packages and modules of the code, in the order of the import contract."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

from analysis.pages.figures import Table

HOME = Path(__file__).resolve().parents[2]
"""Folder of the project, with the Makefile."""
AROUND = frozenset(("base", "settings", "manual"))
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
    docstring = ast.get_docstring(ast.parse(text)) or ""
    return " ".join(docstring.split("\n\n")[0].split())
