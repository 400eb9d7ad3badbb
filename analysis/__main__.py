"""Entry point of ``python -m analysis``."""

from analysis.cli import main, run

__all__ = ["main"]

if __name__ == "__main__":
    run()
