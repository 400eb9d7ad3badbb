"""How the modules stand: the stages from left to right, and what each module says it is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
"""Folder of the project, with the Makefile."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Modules that do one thing together; ``side`` of the wall: left (computes), wall, right (shows) or around."""

    name: str
    gives: str
    side: str
    modules: tuple[str, ...]


STAGES = (
    Stage("Ground", "settings, formulas, formats, messages", "around", (
        "__init__", "errors", "workers", "kept", "architecture", "expressions", "sql", "config", "formats",
    )),
    Stage("Read", "tables with typed columns", "left", (
        "demo", "retailer", "download", "dates", "numerals", "columns", "delimited", "workbooks", "databases",
        "sources", "inference", "draft", "locate",
    )),
    Stage("Clean and join", "one row a customer, and a ledger", "left", (
        "cleaning", "engines", "rfm", "descriptions", "transactions", "events", "surveys", "clv", "assembly",
    )),
    Stage("Features", "a matrix that can be undone", "left", (
        "features", "select", "prepare", "relations", "bars", "provenance", "explore",
    )),
    Stage("Evidence", "segments, and how sure they are", "left", (
        "cluster", "resample", "decision", "evidence", "solutions", "multiverse", "lint", "validation", "heldout",
        "proof", "typing_rule", "scoring", "questions",
    )),
    Stage("Personas", "what each is like, its name and actions", "left", (
        "contrasts", "spread", "profile", "published", "history", "identity", "playbook", "personas", "changes", "card",
        "targeting",
    )),
    Stage("The wall", "all that pages may show", "wall", ("report",)),
    Stage("Pages", "charts, words and files", "right", (
        "escaping", "figures", "charts", "explore_charts", "descriptor_charts", "evidence_charts", "readings",
        "algorithm_charts", "structure", "structure_charts", "trials", "news", "data_charts", "exports", "placing",
        "finder", "workshop",
        "comparison", "briefs", "notes", "assets", "thresholds", "drawings", "sharing", "tables", "manual", "pages",
    )),
    Stage("Site", "a website that may be published", "right", (
        "last_site", "quarto", "quarto_hook", "render", "nesting", "pdfs", "rendered", "disclosure", "gate",
    )),
    Stage("Commands", "the whole line, by hand", "around", ("outputs", "pipeline", "preview", "guard", "__main__")),
)  # fmt: skip
"""Every module in its place."""

ORDER = tuple(module for stage in STAGES for module in stage.modules)
"""A module imports only from those on its left."""


def purpose_of(module: str) -> str:
    """The first paragraph of a module's docstring; empty where it has none."""
    text = (HOME / "analysis" / f"{module}.py").read_text(encoding="utf-8")
    found = re.match(r'"""(.+?)(?:\n\n|""")', text, re.DOTALL)
    return " ".join(found[1].split()) if found else ""
