"""Actions on the persona pages: the rule that fired, quoted numbers, what is at stake, and sizes of tests."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from tests.audit.comparison import NUMBER, Audit, read_number
from tests.audit.customers import Study
from tests.audit.pages import Element
from tests.audit.persona_pages import TYPICAL_FROM, personas
from tests.audit.printed_tables import is_yes_no, stats, z_score
from tests.audit.sizes import worth_of

ALPHA, POWER = 0.05, 0.8
QUOTE = re.compile(r"\{([\w.]+)\}")
LINES = ("At stake", "What to measure", "How to prove it", "Test", "Avoid", "Rule that fired")


def facts_of(study: Study, segment: int) -> dict[str, SimpleNamespace]:
    """Give the numbers that rules and reasons may name, computed anew."""
    inside = study.customers.labels == segment
    worth, value = worth_of(study), study.report["study"]["value"]
    evidence = study.report["segments"][segment - 1]
    share, n = float(inside.mean()), int(inside.sum())
    facts = {"segment": SimpleNamespace(share=share, n=n, stability=evidence["slsw"])}
    if worth is not None:
        part = worth[inside].sum() / worth.sum()
        median = stats(study, value, segment)["median"]
        facts["value"] = SimpleNamespace(share=part, ratio=part / share, total=worth[inside].sum(), median=median)
    shown = {d["variable"] for d in evidence["differences"]}
    for name in shown:
        own, everyone = stats(study, name, segment), stats(study, name, 0)
        ratio = own["mean"] / everyone["mean"] if everyone["mean"] else 1.0
        facts[name] = SimpleNamespace(
            z=z_score(study, name, segment), ratio=ratio, mean=own["mean"], median=own["median"],
            everyone=everyone["mean"], everyone_median=everyone["median"],
        )  # fmt: skip
    for owner, role in (("top", "feature"), ("outcome", "outcome")):
        told = [d for d in evidence["differences"] if study.variables[d["variable"]]["role"] == role]
        names = [d["variable"] for d in told if stats(study, d["variable"], segment)["n"] >= TYPICAL_FROM * n]
        if names:
            name = max(sorted(names), key=lambda each: abs(facts[each].z))
            own = facts[name]
            facts[owner] = SimpleNamespace(z=own.z, ratio=own.ratio, rate=own.mean, name=name)
    return facts | levels_of(study, segment)


def levels_of(study: Study, segment: int) -> dict[str, SimpleNamespace]:
    """Give the shares of levels and their lift, as names of rules have them."""
    found = {}
    for told in study.report["categories"]:
        name = told["variable"]
        if is_yes_no(study, name):
            continue
        values, inside = study.customers.frame[name], study.customers.inside(segment)[name]
        fields = {}
        for level in told["levels"]:
            key = re.sub(r"[^a-z0-9]+", "_", level.lower()).strip("_")
            here, everyone = float((inside == level).mean()), float((values == level).mean())
            fields |= {key: here, f"{key}_lift": here / everyone if everyone else 1.0}
        found[name] = SimpleNamespace(**fields)
    return found


def evaluate_rule(formula: str, facts: dict[str, SimpleNamespace]) -> float:
    """Compute a formula of the playbook."""
    return float(eval(formula, {"__builtins__": {}}, dict(facts)))


def audit_plans(study: Study, audit: Audit) -> None:
    """Compare every action of every persona page with the playbook and the numbers computed anew."""
    plays = yaml.safe_load((study.root / "templates" / "playbook.yml").read_text(encoding="utf-8"))
    for segment, page in personas(study):
        facts = facts_of(study, segment)
        with audit.at(page.name):
            for card in page.main.all("article", "action"):
                compare_action(study, audit, segment, card, plays, facts)


def lines_of(card: Element) -> tuple[str, str, dict[str, str]]:
    """Give title, reason and the named lines of an action."""
    title, reason, *rest = (part.text() for part in card.all() if part.name in {"h3", "p"})
    named = {}
    for line in rest:
        head = next((word for word in LINES if line.startswith(word)), "")
        named[head] = line.removeprefix(head).lstrip(": ")
    return title, reason, named


def find_play(title: str, rule: str, plays: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Give the rule of the playbook that an action was made from, by its condition and the words of its title."""

    def fits(play: dict[str, Any]) -> bool:
        words = [re.escape(part) for part in QUOTE.split(play["action"])[::2]]
        return re.fullmatch("(.+)".join(words), title, re.IGNORECASE) is not None

    found = [play for play in plays if fits(play) and rule in ("", play["when"])]
    return found[0] if found else None


def compare_action(
    study: Study, audit: Audit, segment: int, card: Element, plays: list[dict[str, Any]], facts: dict[str, Any]
) -> None:
    """Compare one action."""
    title, reason, lines = lines_of(card)
    play = find_play(title, lines.get("Rule that fired", ""), plays)
    if play is None:
        audit.skip(f"action {title}", "no rule of the playbook has these words")
        return
    try:
        audit.same(f"{title}: the rule holds", bool(evaluate_rule(play["when"], facts)), True, "page")
    except AttributeError:
        audit.skip(f"action {title}", "its rule reads a merged level")
        return
    for text, template in ((reason, play["reason"]), (lines.get("Avoid", ""), play["avoid"])):
        compare_quotes(study, audit, segment, title, text, template, facts)
    if "At stake" in lines:
        stake = evaluate_rule(play["stake"], facts)
        told = float(f"{stake:.2g}")
        audit.printed(f"{title}: at stake", NUMBER.findall(lines["At stake"])[0], [told])
    proof = lines.get("How to prove it") or lines.get("Test")
    if proof:
        rate = evaluate_rule(str(play["rate"]), facts)
        compare_test(study, audit, segment, f"{title}: test", proof, rate, play, facts)


def compare_quotes(
    study: Study, audit: Audit, segment: int, title: str, text: str, template: str, facts: dict[str, Any]
) -> None:
    """Compare the numbers that a reason quotes, each where its template has it."""
    parts = QUOTE.split(template)
    names = parts[1::2]
    pattern = "(.+?)".join(re.escape(part) for part in parts[::2])
    match = re.fullmatch(pattern, text, re.IGNORECASE)
    if match is None:
        audit.same(f"{title}: words of the playbook", text[:120], template[:120], "page")
        return
    for name, shown in zip(names, match.groups(), strict=True):
        owner, _, field = name.partition(".")
        if not NUMBER.search(shown) or field == "label":
            continue
        if owner in {"top", "outcome"} and field in {"here", "all"}:
            variable, group = facts[owner].name, segment if field == "here" else 0
            own = stats(study, variable, group)
            yes = is_yes_no(study, variable) or "on average" in text
            either = own["mean"] if yes else own["median"]
            audit.printed(f"{title}: {name}", NUMBER.findall(shown)[0], [either])
        else:
            audit.printed(f"{title}: {name}", NUMBER.findall(shown)[0], [getattr(facts[owner], field)])


def compare_test(
    study: Study,
    audit: Audit,
    segment: int,
    what: str,
    text: str,
    rate: float,
    play: dict[str, Any],
    facts: dict[str, Any],
) -> None:
    """Compare the size of a test with the one that the printed shares give (two proportions, arcsine effect size)."""
    rise = re.search(rf"from ({NUMBER.pattern})(?: \(assumed\))? to ({NUMBER.pattern})", text)
    asked = re.search(r"(?<![\d.,])(\d[\d,]*) (customers|respondents|visitors|visits|[a-z]+)(?= (?:with|who))", text)
    if rise is None or asked is None:
        audit.skip(what, "its sentence has no rise or no size")
        return
    before, after = (read_number(rise[i])[0] for i in (1, 2))
    audit.printed(f"{what}, now", rise[1], [rate])
    wanted = min(before * (1 + play.get("lift", 0.25)), (1 + before) / 2)
    audit.printed(f"{what}, worth the effort", rise[2], [wanted])
    effect = abs(proportion_effectsize(after, before))
    size = NormalIndPower().solve_power(effect, alpha=ALPHA, power=POWER, ratio=1)
    audit.near(f"{what}, size", float(asked[1].replace(",", "")), math.ceil(size), 1, "digits", "page")
    counts_visits = "of visits" in text
    audit.same(f"{what}, what is counted", asked[2] == "visits", counts_visits, "page")
    could = re.search(rf"a rise to ({NUMBER.pattern}) or more", text)
    if could:
        n = int((study.customers.labels == segment).sum())
        if counts_visits and "rate_count" in play:
            n = int(evaluate_rule(play["rate_count"], facts))
        least = NormalIndPower().solve_power(nobs1=n // 2, alpha=ALPHA, power=POWER, ratio=1)
        share = float(np.sin(np.arcsin(np.sqrt(before)) + least / 2) ** 2)
        shown, half = read_number(could[1])
        # Rounded up, so that the printed rise can be detected: at most one unit above the exact one.
        audit.near(f"{what}, least rise, rounded up", shown, share + half, half * 1.001, "digits", "page")
