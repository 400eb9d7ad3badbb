"""Fingerprint of everything that a build depends on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from analysis.base.run import USERS, Effort
from analysis.base.version import tool_version
from analysis.report.speed import RESULTS as SPEED
from analysis.report.trials import RESULTS
from analysis.settings.load import profile_files
from analysis.sources.locate import Location, files_at

PACKAGES = ("pandas", "numpy", "scipy", "scikit-learn", "altair", "vl-convert-python", "babel", "jinja2", "pydantic")
"""Packages whose version can change a number or a picture; they stand on the Methodology page."""

EXPERIMENTS = "experiments"
"""Folder of the tests of actions."""

OTHERS = (
    *("charset-normalizer", "duckdb", "joblib", "pyarrow", "pyreadstat", "python-calamine", "sqlalchemy", "sqlframe"),
    *("statsmodels", "typst", "font-source-sans-pro", "python-pptx", "xlsxwriter"),
)
"""Further packages whose version can change what is read, computed or written."""


SHOWS = ("analysis.pages", "analysis.manual")
"""Packages that show a report and compute nothing of it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a build is made of.

    Attributes
    ----------
    analysis : str
        Fingerprint of what the report depends on: data, settings, playbook, tests, packages, effort, engine and code.
    pages : str
        Of what else the pages depend on: templates, notes, style sheet and the code that writes them.
    """

    analysis: str
    pages: str


def stamp_inputs(root: Path, paths: list[Location], effort: Effort = USERS, engine: str = "duckdb") -> Stamp:
    """Return the fingerprints of all that a build depends on."""
    files = [file for path in paths if isinstance(path, Path) for file in files_at(path)]
    inputs = [file for file in files if file.is_file() and os.access(file, os.R_OK)]
    settings = [root / "_quarto.yml", *profile_files(root)]
    tests = sorted((root / EXPERIMENTS).glob("*.yml"))
    results = [root / file for file in (RESULTS, SPEED) if (root / file).is_file()]
    playbook, code = root / "templates" / "playbook.yml", Code(root)
    analysis = _digest([*inputs, *settings, *tests, *results, *([playbook] if playbook.is_file() else [])])
    named = [Path(path).name for path in paths]
    reached = code.mark("analysis.commands.build", SHOWS)
    analysis.update(json.dumps([reached, repr(effort), named, package_versions(engine)], sort_keys=True).encode())
    templates = sorted(p for p in (root / "templates").rglob("*") if p.is_file() and p != playbook)
    notes = sorted((root / "site" / "notes").glob("*.md"))
    pages = _digest([*templates, *notes, *sorted((root / "site" / "assets").glob("site.*"))])
    pages.update(json.dumps([code.mark(), tool_version()]).encode())
    return Stamp(analysis.hexdigest(), pages.hexdigest())


class Code:
    """The modules of the project, read from their files, and what each of them can reach.

    Parameters
    ----------
    root : Path
        Project folder; where it has no code, that of the running program is taken.
    """

    def __init__(self, root: Path) -> None:
        folder = root / "analysis"
        if not folder.is_dir():
            folder = Path(__file__).parent.parent
        files = sorted([*folder.rglob("*.py"), *folder.rglob("*.yml")])
        self._packages = package_versions() | {name: version(name) for name in OTHERS}
        self._contents = {file.relative_to(folder.parent).as_posix(): file.read_bytes() for file in files}

    def mark(self, module: str = "", without: tuple[str, ...] = ()) -> str:
        """Return a fingerprint of what a module can reach by imports, with data files beside it, and of packages.

        Parameters
        ----------
        module : str, optional
            As in ``analysis.base.cache``. Of a module that the project does not have, and without one, the fingerprint
            is that of all code.
        without : tuple of str, optional
            Packages that are left out, with what is reached through them alone.
        """
        reached = self.reach(module, without) if module in self._modules else set(self._contents)
        content = [(name, hashlib.sha256(self._contents[name]).hexdigest()) for name in sorted(reached)]
        known = json.dumps([content, self._packages], sort_keys=True)
        return hashlib.sha256(known.encode()).hexdigest()[:16]

    @cached_property
    def _modules(self) -> dict[str, str]:
        """The file of each module and package, by its name."""
        places = {name: name.removesuffix(".py").removesuffix("/__init__") for name in self._contents}
        return {place.replace("/", "."): name for name, place in places.items() if name.endswith(".py")}

    def reach(self, module: str, without: tuple[str, ...] = ()) -> set[str]:
        """List the files of a module, of the packages around it and of all that they import, and their data files."""
        reached, waiting = set[str](), [module]
        while waiting:
            name = waiting.pop()
            file = self._modules.get(name)
            if file is None or file in reached or name.startswith(without):
                continue
            reached.add(file)
            waiting += [name.rpartition(".")[0], *_list_imports(self._contents[file].decode())]
        folders = {file.rpartition("/")[0] for file in reached}
        data = (name for name in self._contents if name.endswith(".yml"))
        return reached | {name for name in data if name.rpartition("/")[0] in folders}


def _list_imports(code: str) -> list[str]:
    """List what may be a module among the names that a module imports, wherever in it.

    >>> _list_imports("from analysis.base import run\\nif late:\\n    import analysis.pages.book as book")
    ['analysis.base', 'analysis.base.run', 'analysis.pages.book']
    """
    found = []
    for package, names, module in _IMPORT.findall(code):
        each = re.findall(r"(\w+)(?:\s+as\s+\w+)?", re.sub(r"#.*", "", names))
        found += [module] if module else [package, *(f"{package}.{name}" for name in each)]
    return found


_IMPORT = re.compile(
    r"^[ \t]*(?:from (analysis[\w.]*) import (\([^)]*\)|[^\n]*)|import (analysis[\w.]*))", flags=re.MULTILINE
)
"""An import of modules of the project, as formatted code writes it."""


def mark_code(root: Path) -> str:
    """Return a fingerprint of all modules, their data files and installed packages."""
    return Code(root).mark()


def _digest(files: list[Path]) -> hashlib._Hash:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest


def mark_history(root: Path) -> str:
    """Return a fingerprint of the earlier records; the record of this build counts once it is written."""
    from analysis.past.archive import FOLDER

    digest = hashlib.sha256()
    for file in sorted((root / FOLDER).glob("*.json")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def package_versions(engine: str = "duckdb") -> dict[str, str]:
    """Return the version of each package that can change a number or a picture, and of PySpark where it is used."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    if engine == "spark":
        # A client of Spark Connect may have no package of that name.
        with contextlib.suppress(PackageNotFoundError):
            versions["pyspark"] = version("pyspark")
    return versions
