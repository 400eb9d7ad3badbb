"""Preview picture, plain-text guide and JSON export of the site."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt
import pandas as pd

from analysis.base.cache import Kept
from analysis.base.locales import conventions
from analysis.base.yamls import read_yaml
from analysis.pages.assets import themed
from analysis.pages.downloads.texts import as_shown
from analysis.pages.escaping import escape_front
from analysis.pages.figures import Table, harmless, segment_colour, tag
from analysis.pages.pictures import draw_png
from analysis.pages.rules import JSON, PYTHON, TREE_SQL
from analysis.pages.text.overview import finding
from analysis.report.model import Report, Segment
from analysis.report.parts import Bound

PICTURE, GUIDE = "share.png", "llms.txt"
SEGMENTS, SEGMENTS_SCHEMA = "segments.json", "segments.schema.json"
FONT = "Liberation Sans"
"""Comes with the renderer of pictures, so that they do not depend on the machine."""


def draw_picture(report: Report, tokens: dict[str, str], kept: Kept | None = None) -> bytes:
    """Draw the preview picture for links, 1200 by 630 pixels: the main finding, and size against value."""
    formats, worth = report.formats(), report.value_label()
    shares = [("Customers", s, s.share) for s in report.segments]
    shares += [(worth, s, s.value_share) for s in report.segments if s.value_share is not None]
    frame = pd.DataFrame(
        [{"segment": tag(s), "what": what, "share": x, "text": formats.percent(x)} for what, s, x in shares]
    )
    words = [f"of {report.study.customers}", f"of {worth.lower()}"]
    frame["text"] += ["\N{NO-BREAK SPACE}" + words[what == worth] for what in frame["what"]]
    names = [tag(s) for s in report.segments]
    base = alt.Chart(frame).encode(
        x=alt.X(field="share", type="quantitative", axis=None),
        y=alt.Y(field="segment", type="nominal", title=None, sort=names, scale=alt.Scale(paddingInner=0.35)),
        yOffset=alt.YOffset(field="what", type="nominal", sort=["Customers", worth]),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=segment_colour(report, "segment"),
        opacity=alt.Opacity(field="what", type="nominal", legend=None, scale=alt.Scale(range=[0.5, 1])),
    )
    labels = base.mark_text(align="left", dx=5).encode(text=alt.Text(field="text", type="nominal"))
    lines = textwrap.wrap(finding(report), 62)[:3]
    chart = alt.layer(bars, labels).properties(
        width=600,
        height=315,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        background="white",
        padding=22,
        title=alt.Title(lines, subtitle=textwrap.shorten(report.study.title, 80, placeholder=" …"), fontSize=17),
    )
    spec = themed(harmless(chart.to_dict()), tokens)
    spec["config"] |= {"font": FONT}
    arguments = spec, conventions().number_locale(), conventions().time_locale()
    key = json.dumps(arguments)
    draw = kept.keep_by(key, draw_png) if kept else draw_png
    return draw(*arguments)


def write_guide(report: Report, pages: Mapping[str, str], home: str) -> str:
    """Write a guide to the site in plain text, for language models and other programs.

    Parameters
    ----------
    report : Report
    pages : mapping of str to str
        Text of each page by its name below ``site/``, in the order to list them.
    home : str
        What comes before the addresses; empty if the address of publication is unknown.
    """
    study, verdict = report.study, report.verdict
    made = " Synthetic demonstration data: no customer on this site is real." if study.synthetic else ""
    dated = f" Data as of {report.formats().date(study.as_of)}." if study.as_of else ""
    lines = [
        f"# {escape_front(study.title)}",
        "",
        f"> {escape_front(verdict.headline)}",
        "",
        f"A segmentation of {escape_front(study.customers)}: who they are, how sure that is, and what to do with each "
        f"group. Aggregates only; no page holds a single customer's data.{dated}{made}",
        "",
        f"{verdict.title}. {verdict.sentence}",
        "",
        "## Personas",
        "",
        *(
            f"- [{s.letter}, {escape_front(s.name)}]({home}{_page(s)}): {escape_front(s.one_line)}"
            for s in report.segments
        ),
        "",
        "## Pages",
        "",
    ]
    personas = {_page(s) for s in report.segments}
    for name, text in pages.items():
        address = name.removesuffix(".qmd") + ".html"
        if address not in personas:
            head = read_yaml(text.split("---\n")[1])
            lines.append(f"- [{head['title']}]({home}{address}): {head['description']}")
    files = [
        (SEGMENTS, "every segment with size, value, what marks it and how to recognise one"),
        (SEGMENTS_SCHEMA, "what that file holds, as JSON Schema"),
        (JSON, "rules that place a customer in a segment"),
        (PYTHON, "the same as two functions"),
        (TREE_SQL, "the same as SQL"),
    ]
    lines += [
        "",
        "## For machines",
        "",
        *(f"- [{name}]({home}downloads/{name}): {description}" for name, description in files),
    ]
    return "\n".join(lines) + "\n"


def export_segments(report: Report) -> dict[str, str]:
    """Return the JSON export of the segments and its JSON Schema, by file name."""
    data = segments_as_data(report)
    return {
        SEGMENTS: json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        SEGMENTS_SCHEMA: json.dumps(_SCHEMA, indent=1) + "\n",
    }


def list_fields() -> Table:
    """List every field of the JSON export with its description from the schema."""

    def within(place: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for inner in (schema, *schema.get("oneOf", ())):
            for name, field in inner.get("properties", {}).items():
                yield place + name, field["description"]
                yield from within(f"{place}{name}.", field)
            if "items" in inner:
                yield from within(f"{place[:-1]}[].", inner["items"])

    return Table(("Field", "What it holds"), tuple(within("", _SCHEMA)))


def segments_as_data(report: Report) -> dict[str, Any]:
    """Return the content of the JSON export, rounded as on the pages."""
    study, verdict = report.study, report.verdict
    worth = report.variable(study.value) if study.value else None
    return {
        "$schema": SEGMENTS_SCHEMA,
        "version": 1,
        "study": study.title,
        "synthetic": study.synthetic,
        "as_of": study.as_of or None,
        "customers": study.n_customers if all(s.n >= study.min_cell for s in report.segments) else None,
        "customers_called": study.customers,
        "currency": study.currency or None,
        "verdict": {"kind": verdict.kind, "title": verdict.title, "sentence": verdict.sentence},
        "value": None if worth is None else {"name": worth.name, "label": worth.label, "unit": worth.unit},
        "segments": [_segment(report, s) for s in report.segments],
    }


def _segment(report: Report, s: Segment) -> dict[str, Any]:
    shown = s.n >= report.study.min_cell
    found = report.rules.tree.segments[s.id - 1]
    recognised = {
        "all_of": [_bound(report, bound) for bound in found.path],
        "reach": found.reach.share,
        "reach_at_least": found.reach.at_least,
        "purity": found.purity.share,
        "purity_at_least": found.purity.at_least,
    }
    return {
        "segment": s.id,
        "slug": s.slug,
        "letter": s.letter,
        "name": s.name,
        "address": f"../{_page(s)}",
        "summary": s.one_line,
        "customers": s.n if shown else None,
        "share": as_shown(s.share, "share") if shown else None,
        "value_share": as_shown(s.value_share, "share") if shown and s.value_share is not None else None,
        "stability": round(s.slsw, 2),
        "stability_called": s.band,
        "markers": [_marker(report, s, name) for name in s.markers],
        "recognised": recognised if found.path else None,
    }


def _marker(report: Report, s: Segment, name: str) -> dict[str, Any]:
    variable, difference, base = report.variable(name), s.difference(name), report.everyone[name]
    assert difference is not None
    yes_no = variable.unit == "yes_no"
    here, everyone = (difference.summary.mean, base.mean) if yes_no else (difference.summary.median, base.median)
    return {
        "feature": variable.name,
        "label": variable.label,
        "unit": variable.unit,
        "measure": "share of yes" if yes_no else "median",
        "here": as_shown(here, variable.unit),
        "everyone": as_shown(everyone, variable.unit),
    }


def _bound(report: Report, bound: Bound) -> dict[str, Any]:
    variable = report.variable(bound.feature)
    return {"feature": variable.name, "label": variable.label, "more_than": bound.low, "at_most": bound.high}


def _page(s: Segment) -> str:
    return f"segments/{s.slug}.html"


_TEXT, _SHARE = {"type": "string"}, {"type": "number", "minimum": 0, "maximum": 1}


def _object(description: str = "", /, **properties: Any) -> dict[str, Any]:
    documented = {"description": description} if description else {}
    return {**documented, "type": "object", "required": list(properties), "properties": properties}


def _told(schema: dict[str, Any], description: str, null: bool = False) -> dict[str, Any]:
    kinds = {"type": [schema["type"], "null"]} if null else {}
    return {**schema, **kinds, "description": description}


_NAME, _LABEL = _told(_TEXT, "Name in the study's settings."), _told(_TEXT, "Name on the pages.")
_FEATURE = {"feature": _NAME, "label": _LABEL}
_UNIT = _told(_TEXT, "money, count, share (0 to 1), days, years, yes_no, number or category.")
_LIMIT = {"type": ["number", "null"], "description": "In the feature's own unit; null where this side has no limit."}
_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "The segments of a study",
    "description": "Aggregates that the pages show too, with the digits that they have there. Numbers have a decimal "
    "point in every locale.",
    **_object(
        version={"const": 1, "description": "Version of this layout."},
        study=_told(_TEXT, "Title of the study."),
        synthetic={"type": "boolean", "description": "Whether the customers are made up."},
        as_of=_told({**_TEXT, "format": "date"}, "Day of the study; null where the data have no date.", null=True),
        customers={
            "type": ["integer", "null"],
            "description": "Customers in the study; null where a segment is too small to be told.",
        },
        customers_called=_told(_TEXT, "What they are called, plural."),
        currency=_told(_TEXT, "Symbol or code; null where nobody said.", null=True),
        verdict=_object(
            "How far the segments can be trusted.",
            kind={
                "enum": ["natural", "reproducible", "constructive", "none"],
                "description": "natural, reproducible, constructive or none.",
            },
            title=_told(_TEXT, "As on the pages."),
            sentence=_told(_TEXT, "As on the pages."),
        ),
        value={
            "description": "What a customer is worth; null where the study has nothing of the kind.",
            "oneOf": [{"type": "null"}, _object(name=_NAME, label=_LABEL, unit=_UNIT)],
        },
        segments={
            "type": "array",
            "description": "Largest first.",
            "items": _object(
                segment={"type": "integer", "minimum": 1, "description": "Number, as in the published rules."},
                slug=_told(_TEXT, "Last part of the address; stays the same from run to run."),
                letter=_told(_TEXT, "As on pages and charts."),
                name=_told(_TEXT, "Name on the pages."),
                address=_told(_TEXT, "Page of the persona, relative to this file."),
                summary=_told(_TEXT, "One line."),
                customers={
                    "type": ["integer", "null"],
                    "description": "Customers in the segment; null where they are too few to be told.",
                },
                share=_told(_SHARE, "Of all customers.", null=True),
                value_share=_told(_SHARE, "Of the value of all customers.", null=True),
                stability=_told(_SHARE, "Agreement over resamples; 1: the same customers every time."),
                stability_called=_told(_TEXT, "highly stable, valid, a pattern or do not trust."),
                markers={
                    "type": "array",
                    "description": "What sets the segment apart, strongest first.",
                    "items": _object(
                        **_FEATURE,
                        unit=_UNIT,
                        measure={
                            "enum": ["median", "share of yes"],
                            "description": "median or share of yes: what the two numbers are.",
                        },
                        here={"type": "number", "description": "In the segment."},
                        everyone={"type": "number", "description": "Of all customers."},
                    ),
                },
                recognised={
                    "description": "The broadest path of the questions that leads here; null where none does.",
                    "oneOf": [
                        {"type": "null"},
                        _object(
                            all_of={
                                "type": "array",
                                "description": "What all of them have.",
                                "items": _object(**_FEATURE, more_than=_LIMIT, at_most=_LIMIT),
                            },
                            reach=_told(_SHARE, "Of the segment, who answer to it."),
                            reach_at_least={"type": "boolean", "description": "Whether reach is a lower bound."},
                            purity=_told(_SHARE, "Of those who answer to it, who are of the segment."),
                            purity_at_least={"type": "boolean", "description": "Whether purity is a lower bound."},
                        ),
                    ],
                },
            ),
        },
    ),
}
