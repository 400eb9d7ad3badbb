"""The Overview, the list of personas and the key numbers of the Data page."""

from __future__ import annotations

import re

import numpy as np

from tests.audit.comparison import NUMBER, Audit
from tests.audit.customers import Study
from tests.audit.pages import Element, Page
from tests.audit.sizes import worth_of


def audit_overview(study: Study, audit: Audit) -> None:
    """Compare the finding, the picture and the tiles of method, and the persona cards."""
    page = study.pages.get("site/index.html")
    if page is not None:
        with audit.at(page.name):
            opening(study, audit, page)
            columns(study, audit, page)
    if (page := study.pages.get("site/evidence.html")) is not None:
        with audit.at(page.name):
            key_numbers(study, audit, page)
    for name in ("site/segments/index.html",):
        if name in study.pages:
            with audit.at(f"{name}, cards"):
                for card, segment in zip(
                    study.pages[name].main.all("a", "card-persona"), study.report["segments"], strict=False
                ):
                    persona_card(study, audit, card, segment["id"])


def key_numbers(study: Study, audit: Audit, page: Page) -> None:
    """Compare the number of segments; agreement between resamples is of draws."""
    for tile in page.main.all("div", "tile"):
        shown, label = (p.text() for p in tile.direct("p")[:2])
        if label == "segments":
            audit.printed(label, shown, [study.customers.k])


def columns(study: Study, audit: Audit, page: Page) -> None:
    """Compare the shares under each segment of the picture, and its width and height."""
    worth, labels = worth_of(study), study.customers.labels
    shares = [float((labels == j).mean()) for j in range(1, study.customers.k + 1)]
    for j, column in enumerate(page.main.all("a", "segment-column"), start=1):
        shown = " ".join(x for span in column.all("span", "block-share") for x in NUMBER.findall(span.text()))
        values = [float(worth[labels == j].sum() / worth.sum())] if worth is not None else []
        audit.printed(f"segment {j}, size and value", shown, [shares[j - 1], *values])


def opening(study: Study, audit: Audit, page: Page) -> None:
    """Compare the shares in the finding, where it has figures, with the segment that brings most beyond its size."""
    lead, worth, labels = page.main.first("h1"), worth_of(study), study.customers.labels
    text = lead.text() if lead else ""
    shares = [x for x in NUMBER.findall(text) if x.endswith("%")]
    if worth is None or len(shares) != 2:
        return
    pairs = [
        (float((labels == j).mean()), float(worth[labels == j].sum() / worth.sum()))
        for j in range(1, study.customers.k + 1)
    ]
    best = max(pairs, key=lambda pair: pair[1] - pair[0])
    audit.printed("opening sentence", " ".join(shares), list(best))


def persona_card(study: Study, audit: Audit, card: Element, segment: int) -> None:
    """Compare a persona's card: customers, share, value, and the facts of its page."""
    inside, worth = study.customers.labels == segment, worth_of(study)
    meters = [meter.text() for meter in card.all("span", "meter-text")]
    audit.printed(f"segment {segment}, customers", meters[0], [int(inside.sum()), float(inside.mean())])
    if worth is not None and len(meters) > 1:
        audit.printed(f"segment {segment}, value", meters[1], [worth[inside].sum() / worth.sum()])
    facts = card.first("span", "card-traits")
    stated = [
        f"{fact['figure']} {fact['label']}" for fact in study.report["segments"][segment - 1]["portrait"]["facts"]
    ]
    shown = [fact.text() for fact in facts.direct("span")] if facts else []
    audit.same(f"segment {segment}, facts as on its page", shown, stated[2:], "page")


def audit_data_tiles(study: Study, audit: Audit) -> None:
    """Compare the key numbers of the Data page: rows, missing values, repeated rows."""
    page = study.pages.get("site/data.html")
    if page is None or len(study.settings["sources"]) > 1:
        return
    raw, source = study.customers.sources[0], study.settings["sources"][0]
    if source.get("kind", "customers") not in {"customers", "survey"}:
        return
    own = [c for c in raw.columns if c != source.get("key")]
    with audit.at(f"{page.name}, tiles"):
        for tile in page.main.all("div", "tile"):
            parts = [p.text() for p in tile.direct("p")]
            text = " ".join(parts)
            if parts[1].startswith("missing"):
                few = study.report["study"]["min_cell"]
                gone = raw.isna().sum()
                audit.printed("missing values", parts[0], [int(gone[gone >= few].sum())])
            elif parts[1].startswith("duplicates"):
                rows = [int(raw.duplicated(subset=own, keep=keep).sum()) for keep in ("first", False)]  # type: ignore[call-overload]
                audit.printed("repeated rows", text, [float(np.asarray(x)) for x in rows])
            elif re.fullmatch(r"[\d,]+", parts[0]):
                audit.printed(parts[1], parts[0], [len(raw)])
