"""Build the five studies, recompute what they publish, and print how many numbers agree."""

from __future__ import annotations

import os

# One thread a fit: several would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.audit import subjects
from tests.audit.comparison import Audit, Comparison
from tests.audit.customers import Study
from tests.audit.printed_evidence import unread_tables
from tests.audit.projects import STUDIES, Published, build, why_not

COLUMNS = ("study", "compared", "in the report", "on pages", "agree", "explained", "differ", "seconds")


def main(arguments: list[str] | None = None) -> int:
    """Audit the studies; 1 where a difference is left that nothing explains."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__)
    parser.add_argument("--study", action="append", choices=[s.name for s in STUDIES], help="only this one; repeatable")
    parser.add_argument("--built", type=Path, help="folder with projects that are built, by the names of the studies")
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    chosen = parser.parse_args(arguments)
    lines, differ = [], 0
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        for published in STUDIES:
            if chosen.study and published.name not in chosen.study:
                continue
            reason = "" if chosen.built else why_not(published)
            if reason:
                print(f"{published.name}: skipped, {reason}")
                continue
            start = time.monotonic()
            audit, unread = audit_study(published, Path(folder), chosen.built, chosen.quick)
            differ += len(audit.differences())
            lines.append(line_of(audit, time.monotonic() - start))
            print_differences(audit, unread)
    print_table(lines)
    print_not_covered()
    return 1 if differ else 0


def audit_study(published: Published, folder: Path, built: Path | None, quick: bool) -> tuple[Audit, list[str]]:
    """Build a study, unless it is built, and audit it; also the tables of its pages that nothing compares."""
    root = built / published.name if built else build(published, folder)
    study = Study(published.name, root, published.profile)
    return subjects.run(study, quick), unread_tables(study)


def line_of(audit: Audit, seconds: float) -> tuple[str, ...]:
    """Give one line of the table."""
    found = audit.found
    where = Counter(c.where for c in found)
    agree = sum(c.agrees for c in found)
    explained = sum(not c.agrees and bool(c.reason) for c in found)
    numbers = (len(found), where["report"], where["page"], agree, explained, len(audit.differences()))
    return (audit.study, *(f"{n:,}" for n in numbers), f"{seconds:.0f}")


def print_table(lines: list[tuple[str, ...]]) -> None:
    """Print studies by numbers compared and agreeing, with a line for all of them."""
    if not lines:
        return
    totals = [sum(int(line[i].replace(",", "")) for line in lines) for i in range(1, len(COLUMNS))]
    rows = [COLUMNS, *lines, ("all", *(f"{n:,}" for n in totals))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    print()
    for row in rows:
        print(
            "  ".join(
                text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths, strict=True))
            )
        )


def told(comparison: Comparison) -> str:
    """Give one comparison as a line."""
    c = comparison
    reason = f" ({c.reason})" if c.reason else ""
    return f"  {c.place}: {c.what}: published {c.published}, recomputed {c.recomputed}{reason}"


def print_differences(audit: Audit, unread: list[str]) -> None:
    """Print each difference, each explained one, and what was there and not compared."""
    groups = (
        ("differences", [told(c) for c in audit.differences()]),
        ("explained", [told(c) for c in audit.found if not c.agrees and c.reason]),
        ("not compared", [f"  {what}: {why}" for what, why in sorted(set(audit.skipped))]),
    )
    for name, lines in groups:
        if lines:
            print(f"{audit.study}, {name}:", *lines, sep="\n")
    print(f"{audit.study}, tables without a comparison: {', '.join(unread) or 'none'}")


def print_not_covered() -> None:
    """Print what no line of the audit computes."""
    print("\nNot covered:", *(f"  {line}" for line in subjects.NOT_COVERED), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
