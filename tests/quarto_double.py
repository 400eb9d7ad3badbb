"""A stand-in for Quarto that behaves towards a project as Quarto 1.7 and 1.10 were seen to, where there is none.

It clears the output folder before the pre-render script runs, starts scripts that end in ``.py`` with ``python3``,
reads its settings again afterwards, copies resources by Quarto's patterns (from the project folder with a leading
slash, else at any depth, the last site included where ``--output-dir`` names another folder), and runs the post-render
script. The pages themselves are made by the embedded renderer.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

VERSION = "1.10.18"


def main(arguments: list[str]) -> int:
    """Run ``quarto --version`` or ``quarto render``."""
    if arguments == ["--version"]:
        print(VERSION)
        return 0
    parser = argparse.ArgumentParser("quarto")
    parser.add_argument("command", choices=["render"])
    parser.add_argument("place", nargs="?", default=".")
    parser.add_argument("--output-dir")
    parser.add_argument("--profile")
    parser.add_argument("--site-url", default="")
    options = parser.parse_args(arguments)
    if options.profile:
        os.environ["QUARTO_PROFILE"] = options.profile
    place = Path(options.place).resolve()
    if not place.exists():
        print("ERROR: No valid input files passed to render", file=sys.stderr)
        return 1
    root = next(folder for folder in [place, *place.parents] if (folder / "_quarto.yml").is_file())
    sys.path.insert(0, str(root))
    output = root / (options.output_dir or read_settings(root)["project"].get("output-dir", "_site"))
    try:
        render(root, output.resolve(), None if place == root else place, options.site_url)
    except subprocess.CalledProcessError:
        return 1
    return 0


def render(root: Path, output: Path, part: Path | None, site_url: str) -> None:
    """Render the project, or the pages of a part of it."""
    whole = {} if part else {"QUARTO_PROJECT_RENDER_ALL": "1"}
    environment = {**os.environ, "QUARTO_PROJECT_OUTPUT_DIR": str(output), **whole}
    if whole and output.is_dir():
        shutil.rmtree(output)
    run_scripts(root, "pre-render", environment)
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "site"
        make_pages(root, made, site_url)
        for page in made.rglob("*"):
            place = page.relative_to(made)
            source = (root / place).with_suffix(".qmd")
            wanted = part is None or source == part or part in source.parents
            if page.is_file() and not place.is_relative_to("site/downloads") and (wanted or page.suffix != ".html"):
                copy(page, output / place)
    copy_resources(root, output)
    print(f"Output created: {output.relative_to(root) if output.is_relative_to(root) else output}/404.html")
    run_scripts(root, "post-render", environment)


def read_settings(root: Path) -> dict[str, Any]:
    """Read the settings with the profiles laid over them."""
    from analysis.settings.load import project_settings

    return project_settings(root)


def run_scripts(root: Path, step: str, environment: dict[str, str]) -> None:
    """Run the scripts of a step from the project folder; one that fails ends the render."""
    scripts = read_settings(root)["project"].get(step, [])
    for script in [scripts] if isinstance(scripts, str) else scripts:
        command = shlex.split(script)
        command = ["python3", *command] if command[0].endswith(".py") else command
        subprocess.run(command, cwd=root, env=environment, check=True)


def make_pages(root: Path, to: Path, site_url: str) -> None:
    """Make all pages of the project with the embedded renderer, which knows more than one way to fail."""
    from analysis.publish.render import render as render_embedded

    kept = Path(tempfile.mkdtemp()) / "project"
    shutil.copytree(root, kept, ignore=shutil.ignore_patterns("build", "_site*", "._site*", ".venv", ".git"))
    render_embedded(kept, to, "smalldocs", site_url=site_url)
    shutil.rmtree(kept.parent)


def copy_resources(root: Path, output: Path) -> None:
    """Copy what the patterns of ``project.resources`` match, by Quarto's rules."""
    patterns = read_settings(root)["project"].get("resources", [])
    configured = root / read_settings(root)["project"].get("output-dir", "_site")
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        place = file.relative_to(root).as_posix()
        hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
        if hidden or file.is_relative_to(output) or (output == configured and file.is_relative_to(configured)):
            continue
        if any(_matches(place, str(pattern)) for pattern in patterns) and file.suffix != ".qmd":
            copy(file, output / place)


def _matches(place: str, pattern: str) -> bool:
    if pattern.startswith("/"):
        return fnmatch.fnmatch(place, pattern[1:])
    return fnmatch.fnmatch(place, pattern) or fnmatch.fnmatch(place, f"*/{pattern}")


def copy(file: Path, to: Path) -> None:
    """Copy a file, with the folders above it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
