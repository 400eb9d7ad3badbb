"""The five studies, built and rendered in copies of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Published:
    """A study that is audited.

    Attributes
    ----------
    name : str
    profile : str
        Of Quarto; empty for the default study.
    file : str
        The public data file that it needs; empty where its data are made on the spot.
    """

    name: str
    profile: str
    file: str


STUDIES = (
    Published("default", "", "marketing_campaign.csv"),
    Published("omnichannel", "omnichannel", ""),
    Published("survey", "survey", "mcdonalds.csv"),
    Published("web", "web", "online_shoppers_intention.csv"),
    Published("cdnow-sample", "cdnow-sample", "CDNOW_sample.txt"),
)
"""What is audited, by name."""


def datasets() -> Path:
    """Give the folder of public data files: the environment's ``DATASETS``, else one beside the project."""
    return Path(os.environ.get("DATASETS") or ROOT.parent / "shared" / "datasets")


def why_not(study: Published) -> str:
    """Say why a study cannot be audited; empty where it can."""
    path = datasets() / study.file
    return f"{path} is not there" if study.file and not path.is_file() else ""


def copy_project(to: Path) -> Path:
    """Copy what git would track, told from ``.gitignore``."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [".git", *(line.rstrip("/") for line in lines if line and not line.startswith("#"))]

    def ignored(folder: str, names: list[str]) -> list[str]:
        here = Path("/", os.path.relpath(folder, ROOT))
        return [n for n in names if any(fnmatch(n, p) or fnmatch(str(here / n), p) for p in patterns)]

    return Path(shutil.copytree(ROOT, to, ignore=ignored))


def build(study: Published, folder: Path) -> Path:
    """Build and render a study with the embedded renderer in a copy of the project.

    Returns
    -------
    Path
        The project, with ``build/`` and ``_site/``.

    Raises
    ------
    RuntimeError
        Where a command fails, with what it said.
    """
    root = copy_project(folder / study.name)
    # Numbers are held to their last digit, so they must not be rounded as those for the public are.
    for settings in root.glob("_quarto*.yml"):
        text = settings.read_text(encoding="utf-8")
        exact = re.sub(
            r"^segmentation:\n", "segmentation:\n  disclosure: internal\n", text, count=1, flags=re.MULTILINE
        )
        settings.write_text(exact, encoding="utf-8")
    if study.file:
        (root / "data").mkdir(exist_ok=True)
        shutil.copy(datasets() / study.file, root / "data" / study.file)
    outside = ("QUARTO", "SEGMENTATION", "MAKE", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    environment["QUARTO_PROFILE"] = study.profile
    for arguments in (["build"], ["render", "--engine", "smalldocs"]):
        command = [sys.executable, "-m", "analysis", *arguments]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{study.name}: python -m analysis {' '.join(arguments)} failed:\n{done.stderr}")
    return root
