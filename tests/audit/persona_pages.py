"""Every number of the persona pages: facts, portrait, bands, profile, typical customer, and exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from tests.audit.comparison import NUMBER, Audit
from tests.audit.customers import Study
from tests.audit.pages import Page, PrintedTable
from tests.audit.portraits import audit_portrait, readable
from tests.audit.printed_tables import Handler, audit_tables, is_yes_no, stats, z_score
from tests.audit.profiles import members_of
from tests.audit.sizes import worth_of

TYPICAL_FROM = 0.5
"""Share of a segment with a value from which the value may be called typical of it."""


def personas(study: Study) -> Iterator[tuple[int, Page]]:
    """Give each segment's number with its page."""
    for segment in study.report["segments"]:
        page = study.pages.get(f"site/segments/{segment['slug']}.html")
        if page is not None:
            yield segment["id"], page


def audit_personas(study: Study, audit: Audit) -> None:
    """Compare what each persona page prints outside of its plans."""
    found = 0
    for segment, page in personas(study):
        found += 1
        with audit.at(page.name):
            tiles(study, audit, segment, page)
            bands(study, audit, segment, page)
            not_all(study, audit, segment, page)
        handlers: dict[tuple[str, str], Handler] = {
            (page.name, "chart-profile"): partial(profile, segment),
            (page.name, "how-they-answered"): partial(outcomes, segment),
            (page.name, "a-typical-customer"): partial(typical, segment),
        }
        audit_tables(study, audit, handlers)
    audit.same("persona pages", found, study.customers.k, "page")


def tiles(study: Study, audit: Audit, segment: int, page: Page) -> None:
    """Compare the plain facts: customers, share of value, and medians or shares beside everyone's."""
    worth, labels = worth_of(study), study.customers.labels
    inside = labels == segment
    for tile in page.main.all("div", "tile"):
        shown, label, *note = (p.text() for p in tile.direct("p"))
        if label == study.report["study"]["customers"]:
            audit.printed("tile, customers", shown, [int(inside.sum())])
        elif label.startswith("of ") and worth is not None:
            audit.printed("tile, share of value", shown, [worth[inside].sum() / worth.sum()])
            each = readable(float(worth[inside].mean()))
            audit.same("tile, value of one", float(NUMBER.findall(note[0])[0].replace(",", "")), each, "page")
    audit_portrait(study, audit, segment, page)


def known_note(study: Study, name: str, segment: int, text: str) -> list[float]:
    """Give the number of known values where a text says for how many a number is known."""
    return [stats(study, name, segment)["n"]] if "known for" in text else []


def bands(study: Study, audit: Audit, segment: int, page: Page) -> None:
    """Compare the markers: median and middle 80% of the segment and of everyone."""
    for band in page.main.all("div", "band"):
        strong = band.first("strong")
        name = study.by_label.get(strong.text() if strong else "")
        if name is None:
            audit.skip("band", "no variable has this label")
            continue
        for kind, group in (("band-seg-text", segment), ("band-all-text", 0)):
            text, own = band.first("span", kind), stats(study, name, group)
            values = [own["mean"]] if is_yes_no(study, name) else [own["median"], own["p10"], own["p90"]]
            audit.printed(f"band {name}, {kind}", text.text() if text else "", values)
        note = band.first("p", "band-label")
        words = re.sub(r"in \d+ of [\d,]+ re-runs", "", note.text() if note else "")
        if "on average" in words:
            tail = words[words.index("on average") :]
            means = [stats(study, name, group)["mean"] for group in (segment, 0)]
            audit.printed(f"band {name}, averages", tail, [*means, *known_note(study, name, segment, tail)])


def profile(segment: int, study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the table behind the profile: medians here and of everyone, and the standardised difference."""
    for label, here, everyone, difference, *_ in table.rows:
        name = study.by_label.get(label)
        if name is None:
            audit.skip(f"{table.id}, {label}", "no variable has this label")
            continue
        # A column that calls itself a median is held to it, of answers by yes or no as well.
        field = "median" if "edian" in table.header[1] or not is_yes_no(study, name) else "mean"
        own = [stats(study, name, group)[field] for group in (segment, 0)]
        audit.printed(label, f"{here} {everyone} {difference}", [*own, z_score(study, name, segment)])


def outcomes(segment: int, study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the rates of outcomes here and over everyone."""
    for label, here, everyone in table.rows:
        name = study.by_label[label]
        audit.printed(label, f"{here} {everyone}", [stats(study, name, group)["mean"] for group in (segment, 0)])


def typical(segment: int, study: Study, audit: Audit, table: PrintedTable) -> None:
    """Compare the typical customer: medians, answers, the most common group; each known for half of the segment."""
    size = int((study.customers.labels == segment).sum())
    for label, text in table.rows:
        plain = re.sub(r", (most common|most often)$", "", label)
        name = study.by_label.get(plain)
        if name is None:
            audit.skip(f"{table.id}, {label}", "no variable has this label")
        elif study.variables[name]["categorical"]:
            commonest(segment, study, audit, name, text)
        else:
            own = stats(study, name, segment)
            audit.same(f"{label}, known for half of the segment", bool(own["n"] >= TYPICAL_FROM * size), True, "page")
            value = own["mean"] if is_yes_no(study, name) else own["median"]
            audit.printed(label, text, [value, *known_note(study, name, segment, text)])
            if is_yes_no(study, name):
                audit.same(f"{label}, answer", text.split()[0], "yes" if own["mean"] >= 0.5 else "no", "page")


def commonest(segment: int, study: Study, audit: Audit, name: str, text: str) -> None:
    """Compare the most common level here, with its share beside everyone's."""
    level = text.rpartition(" (")[0]
    frame, inside = study.customers.frame[name], study.customers.inside(segment)[name]
    levels = next(c["levels"] for c in study.report["categories"] if c["variable"] == name)
    raw, order = list(frame.dropna().unique()), study.variables[name].get("order") or []
    merged = {each: members_of(each, raw, order) for each in levels if each not in {"Other", "Unknown"}}
    shares = [float(values.fillna("Unknown").isin(merged[level]).mean()) for values in (inside, frame)]
    audit.printed(f"{name}, {level}", text.removeprefix(level), shares)
    counts = {each: int(inside.isin(found).sum()) for each, found in merged.items()}
    audit.same(f"{name}, the most common", counts[level], max(counts.values()), "page")


def not_all(study: Study, audit: Audit, segment: int, page: Page) -> None:
    """Compare for whom the picture does not hold: one in ten at the other end, and the other answer."""
    section = page.section("who-they-are-not")
    for item in section.all("li") if section else ():
        label, _, text = item.text().rpartition(": ")
        name = study.by_label.get(label)
        if name is None:
            audit.skip(f"who they are not, {label}", "no variable has this label")
        elif is_yes_no(study, name):
            mean = stats(study, name, segment)["mean"]
            share = mean if re.search(r"says? yes", text) else 1 - mean
            known = [stats(study, name, segment)["n"]] if "who answered" in text else []
            audit.printed(f"who they are not, {label}", text, [share, *known])
        else:
            end = stats(study, name, segment)["p10" if text.startswith("high") else "p90"]
            audit.printed(f"who they are not, {label}", text, [end, *known_note(study, name, segment, text)])
