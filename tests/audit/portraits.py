"""The portraits of the persona pages: every claim, every number of a sentence, every bar and every mix."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tests.audit.comparison import NUMBER, Audit, read_number
from tests.audit.customers import Study
from tests.audit.matrix import on_the_scale
from tests.audit.pages import Page
from tests.audit.printed_tables import is_yes_no, stats
from tests.audit.profiles import members_of

LIKE_EVERYONE = 0.12
"""Standard deviations within which a segment may be called like everyone."""
TENTHS_OF_NORMAL = 2.5631
"""Standard deviations between the tenth and the ninetieth percentile of a normal distribution."""
WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "seven": 7, "nine": 9, "ten": 10}
PEOPLE = re.compile(r"\b(one|two|three|four|five|seven|nine) in (three|four|five|ten)\b", re.IGNORECASE)
IN_PEOPLE = 0.055
"""How far a share in words may be from the share."""


def readable(value: float) -> float:
    """Round a number as sentences do: two digits, three from a thousand to ten thousand."""
    size = abs(value)
    if size < 10:
        return round(value, 2 if size < 1 else 1)
    if size < 100:
        return float(round(value))
    step = 10 ** (math.floor(math.log10(size)) - (2 if 1_000 <= size < 10_000 else 1))
    return float(round(value / step) * step)


def audit_portrait(study: Study, audit: Audit, segment: int, page: Page) -> None:
    """Compare the claims of a portrait, the numbers of its sentences, its bars and its mixes."""
    portrait = study.report["segments"][segment - 1]["portrait"]
    printed = page.main.text()
    for sentence in sentences_of(portrait):
        audit.same("sentence on the page", sentence["text"] in printed, True, "page")
        for claim in sentence["claims"]:
            audit_claim(study, audit, segment, claim)
        audit_numbers(audit, sentence)
    audit_bars(study, audit, segment, page)
    for mix in portrait["mixes"]:
        for part in mix["parts"]:
            if part["variable"]:
                for field, group in (("share", segment), ("everyone", 0)):
                    audit.report(
                        f"{part['variable']}, {field} of the mix", part[field], pooled(study, part["variable"], group)
                    )
    for strip, mix in zip(page.main.all("div", "strip"), portrait["mixes"], strict=False):
        for item, part in zip(list(strip.all("li")), mix["parts"], strict=True):
            audit.printed(
                f"mix, {part['part']}", item.text().removeprefix(part["part"]), [part["share"], part["everyone"]]
            )


def sentences_of(portrait: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every sentence of a portrait."""
    yield portrait["lead"]
    for paragraph in portrait["paragraphs"]:
        yield from paragraph["sentences"]
    if portrait["contrast"]:
        yield portrait["contrast"]


def audit_claim(study: Study, audit: Audit, segment: int, claim: dict[str, Any]) -> None:
    """Compare one claim with the data."""
    name, kind = claim["variable"], claim["kind"]
    what = f"{kind} of {name}, segment {segment}"
    if kind == "level":
        for value, group in ((claim["value"], segment), (claim["everyone"], 0)):
            audit.report(what, value, level_share(study, name, claim["level"], group))
        return
    means = {group: stats(study, name, group)["mean"] for group in range(study.customers.k + 1)}
    others = [mean for group, mean in means.items() if group not in (0, segment)]
    checks = {
        "higher": means[segment] > means[0],
        "lower": means[segment] < means[0],
        "above": means[segment] > means[claim["against"]],
        "below": means[segment] < means[claim["against"]],
        "highest": not others or means[segment] > max(others),
        "lowest": not others or means[segment] < min(others),
    }
    if kind in checks:
        audit.same(what, True, bool(checks[kind]))
    elif kind == "alike":
        scaled, everyone = on_the_scale(study, name), stats(study, name, 0)
        apart = scaled[study.customers.labels == segment].mean() - scaled.mean()
        audit.same(what, True, bool(abs(apart) <= LIKE_EVERYONE + 1e-9))
        spread = (everyone["p90"] - everyone["p10"]) / TENTHS_OF_NORMAL
        near = is_yes_no(study, name) or abs(means[segment] - means[0]) <= LIKE_EVERYONE * spread + 1e-9
        audit.same(f"{what}, in original units", True, bool(near))
    elif kind == "main":
        audit.report(what, claim["value"], share_led_by(study, name, segment))
    elif kind in {"largest", "majority", "part"}:
        parts = study.report["segments"][segment - 1]["portrait"]["mixes"]
        mix = next(m["parts"] for m in parts if name in {p["variable"] for p in m["parts"]})
        own = pooled(study, name, segment)
        rest = [pooled(study, p["variable"], segment) for p in mix if p["variable"]]
        if kind == "part":
            audit.report(what, claim["value"], own)
        else:
            audit.same(what, True, bool(own >= max(rest) - 1e-9 if kind == "largest" else own > 0.5))
    else:
        field = "median" if kind == "median" else "mean"
        audit.report(what, claim["value"], stats(study, name, segment)[field])
        if claim["everyone"] is not None:
            audit.report(f"{what}, everyone", claim["everyone"], stats(study, name, 0)[field])


def audit_numbers(audit: Audit, sentence: dict[str, Any]) -> None:
    """Hold every number and every share in words of a sentence to a figure that its claims state."""
    figures = [x for c in sentence["claims"] for x in (c["value"], c["everyone"]) if x is not None]
    unquoted = re.sub(r"“[^”]*”", "", sentence["text"])
    for text in NUMBER.findall(unquoted):
        shown, half = read_number(text)
        readings = [r for x in figures for r in (x, readable(x), x / 30.44, readable(x / 365.25), x / 365.25)]
        near = any(abs(shown - r) <= half + 1e-9 for r in readings)
        audit.same(f"{text!r} in {sentence['text'][:60]!r}", near, True, "page")
    for first, last in PEOPLE.findall(unquoted):
        share = WORDS[first.lower()] / WORDS[last.lower()]
        near = any(abs(share - x) <= IN_PEOPLE for x in figures)
        audit.same(f"{first} in {last}", near, True, "page")


def audit_bars(study: Study, audit: Audit, segment: int, page: Page) -> None:
    """Compare the bars beside the paragraphs: the segment's figure and everyone's, by one measure."""
    for item in page.main.all("ul", "versus"):
        for bar in item.direct("li"):
            label, here, everyone = (part.text() for part in bar.direct("span") if part.text())
            everyone = everyone.removeprefix("everyone ")
            name = study.by_label.get(label)
            if name is None:
                plain, _, level = label.rpartition(": ")
                owner = study.by_label.get(plain)
                if owner is None:
                    audit.skip(f"bar {label}", "no variable has this label")
                    continue
                pairs = [[level_share(study, owner, level, group) for group in (segment, 0)]]
            elif is_yes_no(study, name):
                pairs = [[stats(study, name, group)["mean"] for group in (segment, 0)]]
            else:
                pairs = [[stats(study, name, group)[field] for group in (segment, 0)] for field in ("median", "mean")]
                pairs.append([pooled(study, name, group) for group in (segment, 0)])
            shown = [read_number(NUMBER.findall(text)[0]) for text in (here, everyone)]
            close = [
                all(
                    abs(value - reading) <= half + 2e-6 * abs(actual)
                    for (value, half), actual, reading in zip(shown, pair, map(readable, pair), strict=True)
                )
                or all(
                    abs(value - actual) <= half + 2e-6 * abs(actual)
                    for (value, half), actual in zip(shown, pair, strict=True)
                )
                for pair in pairs
            ]
            audit.same(f"bar {label}: {here}, {everyone}", any(close), True, "page")


def pooled(study: Study, name: str, segment: int) -> float:
    """Compute a share of a group's whole together, weighted by each customer's whole; a mean where that is unknown."""
    frame = study.customers.frame if segment == 0 else study.customers.inside(segment)
    label = study.variables[name]["label"].casefold()
    amount = None
    if label.startswith("share of spend"):
        amount = next((v for v in ("spend", study.report["study"]["value"]) if v in frame), None)
    elif label.startswith("share of orders"):
        amount = next((v for v in ("orders", "frequency") if v in frame), None)
    values = frame[name]
    weights = frame[amount].fillna(0) if amount else pd.Series(1.0, values.index)
    known = values.notna()
    return (
        float(np.average(values[known], weights=weights[known])) if weights[known].sum() > 0 else float(values.mean())
    )


def share_led_by(study: Study, name: str, segment: int) -> float:
    """Compute the share of a group's members for whom one part of a mix is larger than any other."""
    mixes = study.report["segments"][segment - 1]["portrait"]["mixes"]
    mix = next(m["parts"] for m in mixes if name in {p["variable"] for p in m["parts"]})
    shares = study.customers.inside(segment)[[p["variable"] for p in mix if p["variable"]]].dropna()
    others = shares.drop(columns=name).assign(rest=1 - shares.sum(axis=1)).max(axis=1)
    return float((shares[name] > others + 1e-9).mean())


def level_share(study: Study, name: str, level: str, segment: int) -> float:
    """Compute the share of a group that gives an answer; small answers are merged under one name."""
    frame = study.customers.frame if segment == 0 else study.customers.inside(segment)
    raw, order = list(study.customers.frame[name].dropna().unique()), study.variables[name].get("order") or []
    return float(frame[name].fillna("Unknown").isin(members_of(level, raw, order)).mean())
