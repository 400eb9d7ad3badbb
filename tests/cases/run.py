"""Reads each file of a folder of cases and compares the reading with what is right.

``python tests/cases/run.py [folder]`` prints one row a kind: how many files are read rightly, asked about, and read
wrongly.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.sources.unknown.readings import describe_reading

RIGHT, ASKED, WRONG = "right", "asked", "wrong"


def compare(reading: dict[str, Any], expect: dict[str, Any]) -> tuple[str, str]:
    """Return right, asked or wrong, and what differs.

    Parameters
    ----------
    reading : dict
        As `describe_reading` returns it.
    expect : dict
        What is right, by the keys that the README of the cases names.
    """
    asked = " ".join(json.dumps(question, ensure_ascii=False) for question in reading["asked"])
    refused = reading["table"] is None
    if refused:
        fits = re.search(expect.get("or_refuse", "$^"), asked, re.IGNORECASE)
        return (ASKED, asked) if fits else (WRONG, asked)
    if asked:
        return ASKED, asked
    wrong = [*_whole(reading, expect), *_columns(reading, expect)]
    return (WRONG, "; ".join(wrong)) if wrong else (RIGHT, "")


def _whole(reading: dict[str, Any], expect: dict[str, Any]) -> list[str]:
    names = {"kind": "table", "n": "n_customers", "word": "customers"}
    wrong = []
    for what in ("kind", "n", "n_rows", "key", "customer", "date", "amount", "value", "word"):
        got = reading[names.get(what, what)]
        if what in expect and got != expect[what]:
            wrong.append(f"{what} {got!r}, not {expect[what]!r}")
    text = json.dumps(reading, ensure_ascii=False)
    if "told" in expect and not re.search(expect["told"], text, re.IGNORECASE):
        wrong.append("not told")
    return wrong


def _columns(reading: dict[str, Any], expect: dict[str, Any]) -> list[str]:
    columns = {column["name"]: column for column in reading["columns"]}
    wrong = [f"{name} does not form" for name in expect.get("feat", ()) if not columns.get(name, {}).get("forms")]
    wrong += [f"{name} forms" for name in expect.get("no", ()) if columns.get(name, {}).get("forms")]
    for name, role in expect.get("roles", {}).items():
        if columns.get(name, {}).get("role") != role:
            wrong.append(f"{name} is {columns.get(name, {}).get('role')}, not {role}")
    for what, end, beyond in (("top", 1, lambda a, b: a > b), ("low", 0, lambda a, b: a < b)):
        if what in expect:
            name, limit = expect[what]
            scale = columns.get(name, {}).get("scale")
            if not scale or beyond(scale[end], limit):
                wrong.append(f"{name} has the scale {scale}")
    for name, kind in expect.get("types", {}).items():
        if columns.get(name, {}).get("type") != kind:
            wrong.append(f"{name} is a {columns.get(name, {}).get('type')}, not a {kind}")
    if "made" in expect:
        start, n = expect["made"]
        made = [name for name in columns if name.startswith(start) and name != start]
        if len(made) != n:
            wrong.append(f"made {made}")
    if "type_" in expect:
        name, types = expect["type_"]
        if columns[name]["type"] not in types:
            wrong.append(f"{name} is a {columns[name]['type']}")
    dates = (
        (columns.get(reading["date"] or "", {}).get("scale") or ["", ""])
        if "first" in expect or "last" in expect
        else []
    )
    for what, end in (("first", 0), ("last", 1)):
        if what in expect and not str(dates[end]).startswith(expect[what]):
            wrong.append(f"{what} date {dates[end]}")
    amounts = columns.get(reading["amount"] or "", {}).get("scale")
    if expect.get("refunds") and not (amounts and amounts[0] < 0):
        wrong.append("no refunds")
    return wrong


def main() -> int:
    """Print the table, and below it each file that is not read rightly."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/cases/files").resolve()
    folder = folder.parent if folder.name == "files" else folder
    cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    counts: dict[str, Counter[str]] = {}
    rest: list[str] = []
    for case in cases:
        path = folder / case["file"]
        try:
            state, why = compare(describe_reading(path.name, path.parent), case["expect"])
        except Exception as error:
            state, why = WRONG, f"{type(error).__name__}: {error}"
        counts.setdefault(case["kind"], Counter())[state] += 1
        if state != RIGHT:
            rest.append(f"{state} {case['file']}: {why}")
    counts["all"] = sum(counts.values(), Counter())
    width = max(map(len, counts))
    print(f"{'kind':<{width}} " + " ".join(f"{state:>6}" for state in (RIGHT, ASKED, WRONG)))
    for kind, count in counts.items():
        print(f"{kind:<{width}} " + " ".join(f"{count[state]:>6}" for state in (RIGHT, ASKED, WRONG)))
    print("\n".join(["", *rest]))
    return int(counts["all"][WRONG] > 0)


if __name__ == "__main__":
    sys.exit(main())
