"""Printed briefs and picture cards of each persona and of the study, made with Typst."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from analysis.base.cache import Kept
from analysis.base.formats import in_sentence, number
from analysis.pages.downloads.texts import printable
from analysis.pages.downloads.typesetting import compile_brief
from analysis.pages.figures import Figure
from analysis.pages.files import write_changed
from analysis.pages.text.overview import finding
from analysis.report import model
from analysis.report.model import Report, Segment
from analysis.settings.load import project_settings

MOST_ROWS, MOST_TRAITS = 14, 4
"""Of a page. Chosen for this project."""
PICTURE_WIDTH = 440
"""Pixels of a chart on a page: its letters then have the size of the others."""
PLAIN_COLOUR = "#33475b"


@dataclass(frozen=True, slots=True)
class Brief:
    """What a page and a picture say; ``name`` is that of the files, without ``brief-`` and ``card-``."""

    name: str
    data: dict[str, Any]


def brief_files(name: str) -> tuple[str, str]:
    """Return the names of the PDF and the picture below ``site/downloads/``.

    >>> brief_files("wine-buyers"), brief_files("")
    (('brief-wine-buyers.pdf', 'card-wine-buyers.png'), ('brief.pdf', 'card.png'))
    """
    end = f"-{name}" if name else ""
    return f"brief{end}.pdf", f"card{end}.png"


def brief_downloads(name: str, up: str = "") -> list[dict[str, Any]]:
    """Return links to the PDF and the picture of a persona, or of the study if no name is given."""
    page, picture = brief_files(name)
    return [
        {"url": Markup(f"{up}downloads/{page}"), "text": "One page to print", "note": "PDF, A4"},
        {"url": Markup(f"{up}downloads/{picture}"), "text": "Picture card", "note": "PNG, for mail and slides"},
    ]


def home_address(root: Path) -> str:
    """Return the address of publication, if it is set."""
    settings = project_settings(root) if (root / "_quarto.yml").is_file() else {}
    return f"{(settings.get('website') or {}).get('site-url') or ''}/site/".removeprefix("/")


def key_numbers(report: Report) -> list[tuple[str, str, str]]:
    """List key numbers of the study: value, label and note."""
    study, f = report.study, report.formats()
    left = f"{f.people(report.unassigned)} unassigned" if report.unassigned else ""
    title = report.decision.algorithm_title
    how = "fixed by the analyst" if report.decision.fixed else "chosen by the evidence"
    how = "chosen for use among ties" if report.evidence.use else how
    groups = (str(len(report.segments)), "segments", f"{title}, {how}")
    if report.verdict.kind == "none":
        groups = (groups[0], "segments were tried", f"{title}, none of them published")
    tiles = [
        (f.people(study.n_customers), study.customers, left or "everyone in the file has a segment"),
        groups,
    ]
    if report.value_total is not None and study.value:
        variable = report.variable(study.value)
        stated = "" if study.currency or variable.unit != "money" else "currency not stated in the data"
        note = ", ".join(part for part in (study.period, stated) if part)
        tiles.append((f.value(report.value_total, variable.unit), in_sentence(variable.label), note))
    dated = f"; data as of {f.date(study.as_of)}" if study.as_of else ""
    steady = number(model.chosen(report).stability.median, 2)
    return [*tiles, (steady, "agreement between resamples", f"1 = the same groups every time{dated}")]


def persona_brief(report: Report, s: Segment, sure: str, figure: Figure, svg: str, home: str) -> Brief:
    """Build the brief of a persona; ``sure`` is a sentence from its page, ``home`` the address of the site."""
    typical = list(s.typical)[:MOST_ROWS]
    data = {
        "title": s.name,
        "lead": s.one_line,
        "letter": s.letter,
        "colour": s.colour,
        "tiles": [(fact.figure, fact.label, fact.note) for fact in s.portrait.facts],
        "traits": [f"{fact.figure} {fact.label}" for fact in s.portrait.facts[2:]][:MOST_TRAITS],
        "story": [" ".join(sentence.text for sentence in part.sentences) for part in s.portrait.paragraphs],
        "picture_title": "What sets them apart",
        "wide": False,
        "right": [{"title": "A typical customer", "columns": ["Trait", "Typical value"], "rows": typical}],
        "actions_title": "A plan for them" if s.plan else "",
        "actions": [
            {
                "title": a.action,
                "text": a.why,
                "lines": [
                    ("Where and when:", f"{a.channel}. {a.moment}."),
                    ("Prize:", a.prize),
                    ("Test:", a.design.sentence if a.design else ""),
                ],
            }
            for a in s.plan
            if a.action
        ],
        "sure_title": "How sure we are",
        "sure": [f"{s.band.capitalize()}. {sure}", f"{report.verdict.title}. {report.verdict.sentence}"],
    }
    return _brief(report, s.slug, data, figure, svg, f"{home}segments/{s.slug}.html")


def study_brief(report: Report, first: Sequence[dict[str, Any]], figure: Figure, svg: str, home: str) -> Brief:
    """Build the brief of the study."""
    formats = report.formats()
    worth = any(s.value_share is not None for s in report.segments)
    rows = [
        (
            f"{s.letter} · {s.name}",
            f"{formats.people(s.n)} ({formats.percent(s.share)})",
            *([formats.value(s.value_share, "share")] if worth else []),
        )
        for s in report.segments
    ]
    columns = ["Segment", report.study.customers.capitalize(), *([f"Of {report.value_label().lower()}"] * worth)]
    data = {
        "title": report.study.title,
        "lead": finding(report),
        "letter": "",
        "colour": PLAIN_COLOUR,
        "tiles": key_numbers(report),
        "traits": [
            f"{s.letter} · {s.name}: {formats.percent(s.share)} of {report.study.customers}" for s in report.segments
        ],
        "story": [report.study.subtitle] if report.study.subtitle else [],
        "picture_title": figure.title,
        "wide": True,
        "right": [{"title": "Who they are", "columns": columns, "rows": rows}],
        "actions_title": "What to do first" if first else "",
        "actions": [
            {"title": a["title"], "text": a["text"], "lines": [("Test:", a["design"].sentence if a["design"] else "")]}
            for a in first
        ],
        "sure_title": "How sure we are",
        "sure": [f"{report.verdict.title}. {report.verdict.sentence}", report.proof.headline],
    }
    return _brief(report, "", data, figure, svg, f"{home}index.html")


def narrow(figure: Figure) -> Figure:
    """Return the chart in the width of a printed page, under an id of its own."""
    fit = {"width": PICTURE_WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
    spec = {**figure.spec, **fit} if figure.spec.get("width") == "container" else figure.spec
    return replace(figure, id=f"{figure.id}-printed", spec=spec)


def write_briefs(briefs: Iterable[Brief], folder: Path, templates: Path, kept: Kept | None = None) -> list[Path]:
    """Compile all briefs and pictures, and write those that changed.

    In turn, as Typst keeps what it read and laid out: 0.1 s for a page and its picture.
    """
    files = []
    for brief in briefs:
        text = json.dumps(brief.data, ensure_ascii=False)
        for template, name in zip(("brief", "card"), brief_files(brief.name), strict=True):
            file = templates / f"{template}.typ"
            # The file of the template is read when a brief is compiled, so its text is part of the key.
            compiled = kept.keep_by((file.read_text(encoding="utf-8"), text), compile_brief) if kept else compile_brief
            files.append(write_changed(folder / name, compiled(str(file), text)))
    return files


def _brief(report: Report, name: str, data: dict[str, Any], figure: Figure, svg: str, address: str) -> Brief:
    dated = f", as of {report.formats().date(report.study.as_of)}" if report.study.as_of else ""
    until = f", to be used until {report.formats().date(report.card.valid_until)}" if report.card.valid_until else ""
    made = "Synthetic demonstration data. " if report.study.synthetic else ""
    weighed = f"Figures stand for the population, by “{report.weighting.column}”. " if report.weighting else ""
    data |= {
        "lang": "en",
        "source": f"{made}{report.study.title}{dated}{until}. {weighed}Aggregates only.",
        "address": address,
        "picture": re.sub(r'font-family="[^"]*"', 'font-family="Source Sans Pro"', svg),
        "alt": figure.alt,
    }
    return Brief(name, _printable(data))


def _printable(value: Any) -> Any:
    """Nested texts without what no font has."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list | tuple) else value
