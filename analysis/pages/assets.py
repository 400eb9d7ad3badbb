"""Theme, colour tokens and the Vega bundle that all charts share."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert

from analysis.settings.load import merge

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

# Colours are names of custom properties of site.css: the browser fills in those of the page's mode, `themed`
# those of the light one.
CHART_THEME: dict[str, Any] = {
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": "var(--rule)",
        "labelColor": "var(--ink-2)",
        "labelFontSize": 12,
        "labelPadding": 6,
        "labelLimit": 240,
        "titleColor": "var(--ink-2)",
        "titleFontSize": 12,
        "titleFontWeight": 400,
        "titlePadding": 10,
    },
    "axisBand": {"grid": False},
    "axisPoint": {"grid": False},
    "axisQuantitative": {"labelSeparation": 8},
    "axisX": {"domain": True, "domainColor": "var(--rule-strong)", "titleAnchor": "end"},
    "legend": {
        "labelColor": "var(--ink-2)",
        "labelFontSize": 12,
        "layout": {"top": {"anchor": "start", "bounds": "full"}},
        "orient": "top",
        "titleColor": "var(--ink-2)",
        "titleFontSize": 12,
        "titleFontWeight": 400,
    },
    "header": {
        "labelAnchor": "start",
        "labelColor": "var(--ink)",
        "labelFontSize": 13,
        "labelFontWeight": 600,
        "titleColor": "var(--ink-2)",
        "titleFontSize": 12,
        "titleFontWeight": 400,
    },
    "title": {
        "anchor": "start",
        "color": "var(--ink)",
        "fontSize": 13,
        "fontWeight": 600,
        "subtitleColor": "var(--ink-2)",
    },
    "mark": {"color": "var(--everyone)"},
    "bar": {"color": "var(--everyone)"},
    "line": {"strokeWidth": 2},
    "point": {"filled": True, "size": 60},
    "rule": {"color": "var(--rule-strong)"},
    "text": {"color": "var(--ink)", "fontSize": 12},
}

# A reader's font may be wider than the one the picture was measured with; labels then run to the left.
_PADDING = {"left": 24, "right": 12, "top": 5, "bottom": 5}

_TOKEN = re.compile(r"var\((--[\w-]+)\)")


def read_tokens(css: str) -> dict[str, str]:
    """Read the custom properties of the first ``:root`` block, which holds the light mode.

    Parameters
    ----------
    css : str
        A stylesheet.

    Returns
    -------
    dict of str to str
        Value by name, such as ``{"--ink": "#16191d"}``.

    Examples
    --------
    >>> read_tokens(":root { --ink: #111; --space: 4px; } body { color: var(--ink); }")
    {'--ink': '#111', '--space': '4px'}
    """
    block = re.search(r":root\s*\{([^}]*)\}", css)
    return dict(re.findall(r"(--[\w-]+)\s*:\s*([^;]+?)\s*;", block[1])) if block else {}


def fill_tokens(value: Any, tokens: Mapping[str, str]) -> Any:
    """Replace ``var(--name)`` in all strings of a nested value.

    Raises
    ------
    KeyError
        If a token is not in ``tokens``.

    Examples
    --------
    >>> fill_tokens({"color": ["var(--ink)", 1]}, {"--ink": "#111"})
    {'color': ['#111', 1]}
    """
    match value:
        case dict():
            return {key: fill_tokens(item, tokens) for key, item in value.items()}
        case list() | tuple():
            return [fill_tokens(item, tokens) for item in value]
        case str():
            return _TOKEN.sub(lambda match: tokens[match[1]], value)
        case _:
            return value


def themed(spec: Mapping[str, Any], tokens: Mapping[str, str]) -> dict[str, Any]:
    """Apply the site's theme in one mode to a Vega-Lite specification, for static pictures.

    Parameters
    ----------
    spec : mapping
        Vega-Lite, its colours literal or as ``var(--name)``; its own ``config`` wins over the theme.
    tokens : mapping of str to str
        Value by name, as `read_tokens` gives.

    Returns
    -------
    dict
        A new spec without any ``var(…)``.
    """
    filled = {"padding": _PADDING, **spec, "config": merge(CHART_THEME, spec.get("config", {}))}
    return fill_tokens(filled, _Tokens(tokens))


class _Tokens(dict[str, str]):
    """Tokens of a spec, whose data may hold words that look like one: those are not changed."""

    def __missing__(self, name: str) -> str:
        return f"var({name})"


def write_vega_bundle(assets: Path) -> str:
    """Write Vega, Vega-Lite, Vega-Embed and the chart theme as one script, unless it is there.

    Parameters
    ----------
    assets : Path
        Folder for the script; scripts of other versions in it are removed.

    Returns
    -------
    str
        Name of the file, ``vega-<hash>.js``. The hash covers the theme and the version of the libraries.
    """
    theme = json.dumps(CHART_THEME, sort_keys=True, separators=(",", ":"))
    snippet = f"window.segmentCharts = {{ embed: vegaEmbed, theme: {theme} }};"
    mark = hashlib.sha256(f"{version('vl-convert-python')} {snippet}".encode()).hexdigest()[:8]
    path = assets / f"vega-{mark}.js"
    if not path.exists():
        assets.mkdir(parents=True, exist_ok=True)
        for stale in assets.glob("vega-*.js"):
            stale.unlink()
        part = path.with_suffix(".part")
        part.write_text(f"(() => {{{vl_convert.javascript_bundle(snippet)}}})();\n", encoding="utf-8")
        part.replace(path)
    return path.name
