"""Fingerprint of everything that a build depends on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
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

WRITERS = ("typst", "font-source-sans-pro", "python-pptx", "xlsxwriter")
"""Packages whose version can change a file to download."""


def stamp_inputs(root: Path, paths: list[Location], effort: Effort = USERS, engine: str = "duckdb") -> str:
    """Return a fingerprint of data, settings, templates, code, packages, effort and engine."""
    files = [file for path in paths if isinstance(path, Path) for file in files_at(path)]
    inputs = [file for file in files if file.is_file() and os.access(file, os.R_OK)]
    settings = [root / "_quarto.yml", *profile_files(root)]
    templates = sorted(p for p in (root / "templates").rglob("*") if p.is_file())
    tests = sorted((root / EXPERIMENTS).glob("*.yml"))
    notes = sorted((root / "site" / "notes").glob("*.md"))
    results = [root / file for file in (RESULTS, SPEED) if (root / file).is_file()]
    assets = [*(root / "site" / "assets").glob("site.*"), *results]
    digest = _digest([*inputs, *settings, *templates, *tests, *notes, *sorted(assets)])
    digest.update(mark_code(root).encode())
    digest.update(tool_version().encode())
    for package in WRITERS:
        digest.update(version(package).encode())
    digest.update(repr(effort).encode())
    digest.update(" ".join(Path(path).name for path in paths).encode())
    digest.update(json.dumps(package_versions(engine), sort_keys=True).encode())
    return digest.hexdigest()


def mark_code(root: Path) -> str:
    """Return a fingerprint of all modules, their data files and installed packages."""
    folder = root / "analysis"
    if not folder.is_dir():
        folder = Path(__file__).parent.parent
    code = sorted([*folder.rglob("*.py"), *folder.rglob("*.yml")])
    digest = _digest(code)
    digest.update(json.dumps([file.relative_to(folder).as_posix() for file in code]).encode())
    digest.update(json.dumps(package_versions(), sort_keys=True).encode())
    return digest.hexdigest()[:16]


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
