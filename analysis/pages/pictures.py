"""Static pictures of charts. It imports no other module, so a change of any other keeps the pictures."""

from __future__ import annotations

from typing import Any

import vl_convert


def draw_svg(
    spec: dict[str, Any], number_locale: dict[str, Any] | None, time_locale: dict[str, Any] | None = None
) -> str:
    """Draw a chart as SVG, with the formats of d3-format and d3-time-format."""
    return vl_convert.vegalite_to_svg(spec, format_locale=number_locale, time_format_locale=time_locale)


def draw_png(
    spec: dict[str, Any], number_locale: dict[str, Any] | None, time_locale: dict[str, Any] | None = None
) -> bytes:
    """Draw a chart as PNG with two pixels for each of its points."""
    return vl_convert.vegalite_to_png(spec, scale=2, format_locale=number_locale, time_format_locale=time_locale)
