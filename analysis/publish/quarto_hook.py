"""What Quarto runs before and after a render, for any Python."""

import sys
from pathlib import Path

# A script finds modules in its own folder first, where some would hide those of the standard library.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from analysis.publish.quarto import run_step  # noqa: E402

if __name__ == "__main__":
    sys.exit(run_step(Path(sys.path[0]), sys.argv[1]))
