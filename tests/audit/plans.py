"""Plans on the persona pages: prizes from the segment's value, and what each test detects."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import yaml
from statsmodels.stats.power import NormalIndPower

from tests.audit.comparison import NUMBER, Audit, read_number
from tests.audit.customers import Study
from tests.audit.pages import Element
from tests.audit.persona_pages import personas
from tests.audit.printed_tables import stats, z_score
from tests.audit.sizes import worth_of

ALPHA, POWER = 0.05, 0.8
QUOTE = re.compile(r"\{([\w.]+)\}")
DESIGN = re.compile(
    r"(?P<treated>\d[\d,]*)(?P<visits> visits)? picked at random, (?:hold back|leave) (?P<held>\d[\d,]*)"
    r"(?: as they are)?: enough to (?:detect|notice) a (?P<way>rise|fall) "
    rf"from (?P<before>{NUMBER.pattern}) to (?P<after>{NUMBER.pattern}) or"
)


def facts_of(study: Study, segment: int) -> dict[str, SimpleNamespace]:
    """Give the numbers of the segment and of its variables that rules may name, computed anew."""
    inside = study.customers.labels == segment
    worth = worth_of(study)
    evidence = study.report["segments"][segment - 1]
    share, n = float(inside.mean()), int(inside.sum())
    facts = {"segment": SimpleNamespace(share=share, n=n, stability=evidence["slsw"])}
    if worth is not None:
        part = worth[inside].sum() / worth.sum()
        facts["value"] = SimpleNamespace(share=part, ratio=part / share, total=worth[inside].sum())
    for name in {d["variable"] for d in evidence["differences"]}:
        own, everyone = stats(study, name, segment), stats(study, name, 0)
        ratio = own["mean"] / everyone["mean"] if everyone["mean"] else 1.0
        facts[name] = SimpleNamespace(
            z=z_score(study, name, segment), ratio=ratio, mean=own["mean"], median=own["median"],
            everyone=everyone["mean"], everyone_median=everyone["median"],
        )  # fmt: skip
    return facts


def audit_plans(study: Study, audit: Audit) -> None:
    """Compare every action of every persona page with the playbook and the numbers computed anew."""
    plays = yaml.safe_load((study.root / "templates" / "playbook.yml").read_text(encoding="utf-8"))
    for segment, page in personas(study):
        facts = facts_of(study, segment)
        with audit.at(page.name):
            for part in page.main.all("div", "plan"):
                for rows in part.all("tbody"):
                    compare_action(study, audit, segment, rows, plays, facts)


MOMENT = re.compile(
    rf"(?:on a|in the|in|at) (?P<name>\w+) \((?P<here>{NUMBER.pattern}) of their purchase days; "
    rf"(?P<all>{NUMBER.pattern}) for everyone\)"
)


def compare_moment(study: Study, audit: Audit, segment: int, text: str) -> None:
    """Compare the shares of purchase days at the time that a plan names with those of the files."""
    found = MOMENT.search(text)
    if found is None:
        return
    lines = pd.concat(
        raw.rename(columns={c: role for role, c in source["columns"].items()})[["customer", "date", "amount"]]
        for raw, source in zip(study.customers.sources, study.settings["sources"], strict=True)
        if source.get("kind") == "transactions"
    )
    lines["date"] = pd.to_datetime(lines["date"], errors="coerce")
    lines = lines[
        (pd.to_numeric(lines["amount"], errors="coerce") >= 0) & (lines["date"].dt.normalize() <= study.customers.as_of)
    ]
    label = pd.Series(study.customers.labels, index=study.customers.keys)
    lines["segment"] = lines["customer"].astype(str).map(label)
    lines = lines.dropna(subset=["segment", "date"])
    parts = {"night": 0, "morning": 1, "afternoon": 2, "evening": 3}
    if found["name"] in parts:
        lines["hit"] = lines["date"].dt.hour // 6 == parts[found["name"]]
        days = lines.assign(day=lines["date"].dt.floor("6h"))
    elif found["name"].endswith("day"):
        days = lines.assign(day=lines["date"].dt.normalize(), hit=lines["date"].dt.day_name() == found["name"])
    else:
        days = lines.assign(day=lines["date"].dt.normalize(), hit=lines["date"].dt.month_name() == found["name"])
        days = days[days["day"] > days["day"].max() - pd.Timedelta(days=365)]
    days = days.drop_duplicates(["customer", "day"])
    audit.printed("share of purchase days", found["here"], [days.loc[days["segment"] == segment, "hit"].mean()])
    audit.printed("everyone's share of purchase days", found["all"], [days["hit"].mean()])


def find_play(text: str, plays: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Give the rule of the playbook whose action and reason a row begins with."""
    for play in plays:
        words = [re.escape(part) for part in QUOTE.split(f"{play['action']} {play['reason']}")[::2]]
        if re.match("(.+?)".join(words), text, re.IGNORECASE):
            return play
    return None


def compare_action(
    study: Study, audit: Audit, segment: int, rows: Element, plays: list[dict[str, Any]], facts: dict[str, Any]
) -> None:
    """Compare the prize, the quoted numbers and the test of one action."""
    action, *tests = rows.all("tr")
    cell = next(action.all("td"))
    text = cell.text()
    play = find_play(text, plays)
    if play is None:
        audit.skip(f"action {text[:60]}", "no rule of the playbook has these words")
        return
    what = play["action"]
    compare_moment(study, audit, segment, action.text())
    compare_quotes(audit, what, text, f"{play['action']} {play['reason']}", facts)
    worth = re.search(rf"Worth \D*({NUMBER.pattern})\D+({NUMBER.pattern})", text)
    if worth and "prize" in play and "value" in facts:
        for shown, part in zip(worth.groups(), play["prize"], strict=True):
            audit.printed(f"{what}: prize", shown, [float(f"{part * facts['value'].total:.2g}")])
    for test in tests:
        compare_test(audit, f"{what}: test", test.text(), facts["segment"].n)


def compare_quotes(audit: Audit, what: str, text: str, template: str, facts: dict[str, Any]) -> None:
    """Compare the numbers that a reason quotes of the segment, its value or a variable; roles are left to the tests."""
    parts = QUOTE.split(template)
    match = re.match("(.+?)".join(re.escape(part) for part in parts[::2]), text, re.IGNORECASE)
    if match is None:
        return
    for name, shown in zip(parts[1::2], match.groups(), strict=True):
        owner, _, field = name.partition(".")
        if owner in {"segment", "value"} and field in {"share", "n"} and NUMBER.search(shown):
            audit.printed(f"{what}: {name}", NUMBER.findall(shown)[0], [getattr(facts[owner], field)])


def compare_test(audit: Audit, what: str, text: str, n: int) -> None:
    """Compare what a test detects with the arcsine effect size of its two groups."""
    found = DESIGN.search(text)
    if found is None:
        audit.skip(what, "its sentence has no baseline")
        return
    treated, held = (int(found[name].replace(",", "")) for name in ("treated", "held"))
    if not found["visits"]:
        audit.same(f"{what}, all customers of the segment", treated + held, n, "page")
    before, after = (read_number(found[name])[0] for name in ("before", "after"))
    effect = NormalIndPower().solve_power(nobs1=treated, ratio=held / treated, alpha=ALPHA, power=POWER)
    way = 1 if found["way"] == "rise" else -1
    exact = float(np.sin(math.asin(math.sqrt(before)) + way * float(np.squeeze(effect)) / 2) ** 2)
    # Rounded away from the baseline, to a whole percentage.
    audit.near(f"{what}, detectable rate", after, exact + way * 0.005, 0.00501, "digits", "page")
