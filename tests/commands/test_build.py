"""A build around the method."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("pandas", "numpy", "scipy", "sklearn", "joblib", "pyarrow")


@pytest.mark.slow
def test_a_build_with_nothing_to_do_does_not_wait_for_the_analysis_to_be_imported() -> None:
    """What finds the data, compares the stamp, and looks up earlier runs starts without the libraries that compute."""
    code = (
        "import sys, analysis.cli, analysis.commands.build, analysis.past.archive, analysis.publish.render;"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
