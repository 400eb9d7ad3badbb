"""Steps before and after a Quarto render, and the state of the render.

Quarto starts `quarto_hook.py` with any Python that it finds, so this module uses the standard library alone and hands
the work to the project's environment.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from analysis.publish import last_site

OWN_RENDER = "SEGMENTATION_PRERENDERED"
"""Set while `python -m analysis render` drives Quarto: it analyses before and checks afterwards itself."""
OUTPUT, WHOLE, PARENT = "QUARTO_PROJECT_OUTPUT_DIR", "QUARTO_PROJECT_RENDER_ALL", "SEGMENTATION_QUARTO_PID"
NEEDED = ("pandas", "sklearn", "altair", "jinja2", "pydantic", "duckdb", "sqlframe", "typer")


def run_step(root: Path, step: str) -> int:
    """Run ``build`` before a render or ``check`` after it; a failure puts the last good site back.

    Parameters
    ----------
    root : Path
        Project folder.
    step : str
        The command to run.

    Returns
    -------
    int
        Its exit code, which Quarto takes as success where it is 0.
    """
    if is_own_render():
        return 0
    site = Path(os.environ.get(OUTPUT) or root / "_site").resolve()
    whole = bool(os.environ.get(WHOLE))
    if step == "build" and whole:
        last_site.begin(root, site, os.getppid())
    python = find_python(root)
    if python is None:
        print(
            "The packages in requirements.txt are not installed for this Python.\n"
            "  Run `make site` once to create .venv, or: python3 -m pip install -r requirements.txt",
            file=sys.stderr,
        )
        code = 2
    else:
        environment = {**os.environ, PARENT: str(os.getppid())}
        code = subprocess.call([python, "-m", "analysis", step], cwd=root, env=environment)
    if whole and code:
        print(last_site.put_back(root, site, refused=step == "check"), file=sys.stderr)
    if whole and (code or step == "check"):
        last_site.end(root)
    return code


def find_python(root: Path) -> str | None:
    """Return the interpreter that has the project's packages: an activated one, else that of ``.venv``."""
    complete = all(importlib.util.find_spec(name) for name in NEEDED)
    if complete and sys.prefix != sys.base_prefix:
        return sys.executable
    for place in ("bin/python", "Scripts/python.exe"):
        if (root / ".venv" / place).is_file():
            return str(root / ".venv" / place)
    return sys.executable if complete else None


def is_own_render() -> bool:
    """Return whether the command ``render`` started Quarto."""
    return bool(os.environ.get(OWN_RENDER))


def is_partial_run(root: Path) -> bool:
    """Return whether Quarto renders single pages or a preview, with existing pages."""
    return OUTPUT in os.environ and not os.environ.get(WHOLE) and (root / "site" / "index.qmd").is_file()


def is_preview() -> bool:
    """Return whether `quarto preview` is running, judged by the command of the parent process."""
    pid = os.environ.get(PARENT, "")
    if not pid:
        return False
    try:
        asked = subprocess.run(["ps", "-o", "args=", "-p", pid], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return " preview" in asked.stdout


def count_pages(root: Path, site: Path) -> tuple[int, int]:
    """Count the rendered pages that are not older than their source, and all pages of the project."""
    sources = [path for path in [*(root / "site").rglob("*.qmd"), root / "404.qmd"] if path.is_file()]
    pages = [site / source.relative_to(root).with_suffix(".html") for source in sources]
    current = [
        page.is_file() and page.stat().st_mtime_ns >= source.stat().st_mtime_ns
        for source, page in zip(sources, pages, strict=True)
    ]
    return sum(current), len(sources)
