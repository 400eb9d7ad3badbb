"""Figure and table types, and elements that charts share."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from altair.utils.schemapi import debug_mode

from analysis.base.formats import Formats, in_sentence, joined, number
from analysis.base.locales import conventions
from analysis.report.model import Report, Segment
from analysis.report.parts import Difference, Summary, Variable

WIDTH = 720
"""Width of the static picture in pixels; the live chart follows the page."""
EVERYONE = "var(--everyone)"
INK = "var(--ink-2)"
COLOURS = ["#2f7fc4", "#c2621b", "#1d8f68", "#a9579f", "#8f7a10", "#54606c"]
"""Colours of what is neither a segment nor everyone, such as algorithms."""
SHAPES = [
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
]
WRAPPED = (
    "width < 420 ? slice(datum.label, 0, 1) : [slice(datum.label, 0, 1), split(slice(datum.label, 4), ' ')[0], "
    "join(slice(split(slice(datum.label, 4), ' '), 1), ' ')]"
)
"""Label of a segment over a column: letter, first word, rest; the letter alone where it is narrow."""
SHORT = 17
"""Letters of a line of a label where it is narrow."""
FOLDED = (
    f"width < 420 ? split(replace(replace(datum.label, regexp('(.{{1,{SHORT}}})( |$)', 'g'), '$1|'), "
    "regexp('[|]$'), ''), '|') : datum.label"
)
"""Label of a row, folded where it is narrow."""

INBORN = re.compile(
    r"constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf"
    r"|__(?:proto|(?:define|lookup)[GS]etter)__"
)
"""What each object of a browser has: Vega finds it where it looks for rows of that name."""


EDGE, CHOICE, NARROW_CHOICE = 8, 44, 66
"""Pixels that a live chart takes beside its picture, and that a choice below it takes on wide and narrow pages."""
FAINT = 0.12
"""Opacity of the segments that a reader does not follow."""
_FOLLOWED = "!isValid(followed) || !isValid(datum.segment) || datum.segment === followed"


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a chart as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with everything that a page needs to show it.

    Attributes
    ----------
    id : str
        Unique on the site.
    title : str
        States the finding.
    caption : str
        How to read it, and the base.
    alt : str
        The finding for those who do not see it.
    spec : dict
        Vega-Lite; colours of text and axes as ``var(--token)``.
    height : int
        Pixels that the page keeps free.
    table : Table
        The table with the same content.
    """

    id: str
    title: str
    caption: str
    alt: str
    spec: dict[str, Any]
    height: int
    table: Table

    def rooms(self, height: int) -> tuple[int, int]:
        """Return the pixels that wide and narrow pages keep free, for a picture of this height.

        Below the chart stand its choices; on a narrow page, each in a line of its own.
        """
        narrow = self.spec.get("usermeta", {}).get("narrow", {})
        taller = narrow["height"] - self.spec["height"] if "height" in narrow else 0
        if "height" in narrow.get("spec", {}):
            taller = (narrow["spec"]["height"] - self.spec["spec"]["height"]) * _n_rows(self.spec)
        choices = sum("bind" in param for param in _list_params(self.spec))
        lines = narrow.get("more_lines", 0)
        wide = height + EDGE + CHOICE * bool(choices)
        return wide, height + EDGE + taller + 17 * lines + NARROW_CHOICE * choices


def _list_params(spec: dict[str, Any]) -> list[dict[str, Any]]:
    inner = [*spec.get("layer", []), *([spec["spec"]] if "spec" in spec else [])]
    return [*spec.get("params", []), *(param for part in inner for param in _list_params(part))]


def _n_rows(spec: dict[str, Any]) -> int:
    """Count the rows of a faceted chart."""
    order = spec["facet"].get("row", spec["facet"]).get("sort")
    return len(order) if isinstance(order, list) else 1


def make_figure(
    id: str, title: str, caption: str, text: str, spec: dict[str, Any], height: int, table: Table
) -> Figure:
    locales = {"formatLocale": conventions().number_locale(), "timeFormatLocale": conventions().time_locale()}
    if options := {name: locale for name, locale in locales.items() if locale}:
        spec = {**spec, "usermeta": {**spec.get("usermeta", {}), "embedOptions": options}}
    return Figure(f"chart-{id}", title, caption, text, harmless(followed(spec)), height, table)


def harmless(spec: Any, key: str = "") -> Any:
    """Remove line breaks and backslashes from titles, which Vega-Lite does not escape in expressions.

    Orders of labels go there too, where a line separator ends an expression, and pictures hold no control character.
    A word that each object has ends in a mark that does not show.
    """
    if isinstance(spec, list):
        return [harmless(part, key) for part in spec]
    if isinstance(spec, dict):
        return {name: harmless(part, key if key == "datasets" else name) for name, part in spec.items()}
    if not isinstance(spec, str):
        return spec
    if INBORN.fullmatch(spec):
        return f"{spec}\u2060"
    spec = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\u2028\u2029]", " ", spec)
    return re.sub(r"[^\S\u00a0\u202f]+", " ", spec).replace("\\", "∖") if key == "title" else spec


NEGLIGIBLE = 0.2
"""Difference in standard deviations under which an effect is not small but negligible (Cohen 1988)."""


def typical(formats: Formats, summary: Summary, unit: str) -> str:
    """Return the figure that stands for a group: the median, and of a yes or no the share of yes."""
    return formats.value(summary.mean if unit == "yes_no" else summary.median, unit)


def tag(segment: Segment) -> str:
    return f"{segment.letter} · {segment.name}"


def tip(field: str, title: str) -> alt.Tooltip:
    """Return a tooltip field; its title is capitalised because Vega loads a field named "image" as a picture."""
    return alt.Tooltip(field=field, type="nominal", title=title[:1].upper() + title[1:])


def segment_colour(report: Report, field: str, legend: bool = False) -> alt.Color:
    scale = alt.Scale(domain=[tag(s) for s in report.segments], range=[s.colour for s in report.segments])
    shown = alt.Legend(title=None, columns=2, labelLimit=300, symbolOpacity=1) if legend else None
    return alt.Color(field=field, type="nominal", scale=scale, legend=shown, title=None)


_NARROW_LABELS = {"axisY": {"labelLimit": 128, "labelFontSize": 11}}


def single(chart: Any, height: int, narrow_height: int = 0) -> dict[str, Any]:
    """Return a chart as wide as its container; narrow containers may need another height, in pixels."""
    narrow = {"config": _NARROW_LABELS, **({"height": narrow_height} if narrow_height else {})}
    return _narrow(_spec(chart.properties(height=height), "container"), narrow)


def faceted(chart: Any, narrow: int = 150, narrow_height: int = 0) -> dict[str, Any]:
    """Return a faceted chart; narrow pages use another inner width and height, in pixels."""
    inner = {"width": narrow, **({"height": narrow_height} if narrow_height else {})}
    return _narrow(_measure_panels(_spec(chart, None)), {"spec": inner, "config": _NARROW_LABELS})


def _measure_panels(spec: Any) -> Any:
    """Fold labels by the width of a panel: in a faceted chart ``width`` is that of the whole, which is never set."""
    if isinstance(spec, list):
        return [_measure_panels(part) for part in spec]
    if not isinstance(spec, dict):
        return spec
    return {
        name: part.replace("width <", "child_width <") if name == "labelExpr" else _measure_panels(part)
        for name, part in spec.items()
    }


def fold_rows(labels: Sequence[str], row: int) -> int:
    """Return the height of rows on a phone, where long labels fold: ``row`` pixels each, or more for their lines."""
    lines = max((len(textwrap.wrap(label, SHORT)) for label in labels), default=1)
    return len(labels) * max(row, 14 * lines + 4)


def list_letters(report: Report) -> str:
    """Say which letter stands for which segment, for charts that show letters only."""
    return f"Letters: {', '.join(tag(s) for s in report.segments)}."


def followed(spec: dict[str, Any]) -> dict[str, Any]:
    """Fade the marks of other segments while the page follows one; static pictures are unchanged."""
    found = False

    def fade(part: dict[str, Any], inherited: frozenset[Any]) -> dict[str, Any]:
        nonlocal found
        encoding = part.get("encoding", {})
        fields = inherited | {c.get("field") for c in encoding.values() if isinstance(c, dict)}
        nested: dict[str, Any] = {
            name: [fade(inner, fields) for inner in part[name]]
            for name in ("layer", "hconcat", "vconcat")
            if name in part
        }
        if "spec" in part:
            facet = part.get("facet", {})
            across = facet.values() if "field" not in facet else [facet]
            nested["spec"] = fade(part["spec"], fields | {f.get("field") for f in across if isinstance(f, dict)})
        part = {**part, **nested}
        if "mark" in part and "segment" in fields and "opacity" not in encoding:
            found = True
            mark = part["mark"] if isinstance(part["mark"], dict) else {"type": part["mark"]}
            full = {"condition": {"test": _FOLLOWED, "value": mark.get("opacity", 1)}, "value": FAINT}
            part["encoding"] = {**encoding, "opacity": full}
        return part

    spec = fade(spec, frozenset())
    return {**spec, "params": [*spec.get("params", []), {"name": "followed", "value": None}]} if found else spec


def draw_each(charts: Sequence[Callable[[Report], Figure | None]], report: Report) -> list[Figure | None]:
    """Draw some charts; None stands for one that has nothing to show."""
    # Tests draw each chart with its parts checked against the schema, so a build need not.
    with debug_mode(False):
        return [draw(report) for draw in charts]


def _narrow(spec: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "usermeta": {"narrow": override}}


def _spec(chart: Any, width: str | None) -> dict[str, Any]:
    alt.data_transformers.disable_max_rows()
    spec = chart.to_dict(validate=False)
    for unwanted in ("config", "$schema"):
        spec.pop(unwanted, None)
    if width:
        spec["width"] = width
    return spec


ACCENT = "var(--accent)"


def certainty_interval(difference: Difference) -> str:
    return f"{number(difference.z_low, 2, '+')} to {number(difference.z_high, 2, '+')}"


def explain_scale(report: Report) -> str:
    """Say on which scale differences from everyone are measured; the methodology explains it."""
    logged = any(step.log for step in report.steps)
    how = "; skewed amounts and counts are compared by their logarithm" if logged else ""
    return f"Standard deviations are those of the scale that forms the segments{how}."


def short_number(x: float) -> str:
    """Format a number with two digits and no leading zero, for narrow cells."""
    return number(x, 2).replace("0", "", 1) if abs(x) < 0.995 else number(x)


_ROW_HEADER = alt.Header(labelOrient="top", labelAnchor="start", labelPadding=4, labelLimit=560)


def facet_rows(field: str, order: list[str], header: alt.Header = _ROW_HEADER) -> alt.Row:
    """Return the rows of a faceted chart in order, without a title; each has its label on top."""
    return alt.Row(field=field, type="nominal", title=None, sort=order, header=header)


def measure_spread(report: Report, variable: str) -> float:
    """Measure how far apart the segments' means lie on a variable, in standard deviations; 0 where none is known."""
    means = [d.z for s in report.segments if (d := s.difference(variable))]
    return max(means) - min(means) if means else 0.0


def name_with_unit(variable: Variable, report: Report) -> str:
    """Name a variable with its unit, unless the label says it."""
    unit = {"money": report.study.currency or "currency units", "days": "days", "years": "years"}.get(variable.unit)
    return f"{variable.label} ({unit})" if unit and unit.split()[0] not in variable.label.lower() else variable.label


def ladder_axis(report: Report) -> str:
    """Name what segments are levels of; empty where they are no ladder."""
    ladder = report.evidence.ladder
    return joined([in_sentence(report.variable(name).label) for name in ladder.variables]) if ladder else ""
