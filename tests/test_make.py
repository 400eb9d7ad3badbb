"""What make hands to the commands, wherever the user stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_make_looks_for_patterns_and_writes_where_the_user_stands(project: Path, tmp_path: Path) -> None:
    stood = tmp_path / "elsewhere"
    stood.mkdir()
    (stood / "m1.csv").write_text("a")
    (project / ".venv/bin").mkdir(parents=True)
    python = project / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\ncase "$1" in -c) exec {sys.executable} "$@";; *) echo "$@";; esac\n')
    python.chmod(0o755)
    for stamp in (".site", ".test"):
        (project / ".venv" / stamp).touch()
    environment = {**os.environ, "PWD": str(stood), "MAKEFLAGS": ""}
    for target, words in (
        (["site", "DATA=m*.csv", "OUT=out.zip"], ["--data", f"{stood}/m*.csv", "--out", f"{stood}/out.zip"]),
        (["check", "OUT=out.zip"], ["--site", f"{stood}/out.zip"]),
        (["check"], ["--site", "_site"]),
    ):
        done = subprocess.run(
            ["make", "-C", str(project), *target],
            cwd=stood,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
        said = done.stdout.split()
        assert [word for word in words if word not in said] == []
