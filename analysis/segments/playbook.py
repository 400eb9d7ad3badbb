"""Rules of the playbook: validation, actions, amounts at stake and sample sizes of tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.expressions import Expression, parse
from analysis.base.formats import Formats, in_sentence, number
from analysis.clustering.evidence import SegmentEvidence
from analysis.features.build import Variable
from analysis.profiles.profile import Difference, Profiles, SegmentProfile
from analysis.settings.models import Study

PLAYBOOK = "templates/playbook.yml"
MOST_ACTIONS = 4
ALPHA, POWER = 0.05, 0.8
"""Of the two-sided tests that actions are to be proved by, in two groups of equal size."""
ALIKE = 0.85
"""From which similarity of spelling (difflib) a name is taken for a slip. Ours."""
_QUANTILES = NormalDist().inv_cdf(1 - ALPHA / 2) + NormalDist().inv_cdf(POWER)

_QUOTE = re.compile(r"\{([\w.]+)\}")
_OF_A_VARIABLE = ("z", "ratio", "mean", "median", "everyone", "everyone_median")
_KNOWN = {
    "segment": ("share", "n", "stability"),
    "value": ("share", "ratio", "median", "total"),
    "top": ("z", "ratio", "label", "here", "all"),
    "outcome": ("z", "ratio", "rate", "label", "here", "all"),
}
_LIMITS = {
    "segment.share": (0.0, 1.0),
    "segment.stability": (0.0, 1.0),
    "segment.n": (1.0, np.inf),
    "value.share": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do, why, the rule and numbers that made it appear, the money at stake and how to prove it."""

    title: str
    reason: str
    measure: str
    avoid: str
    effort: str
    rule: str
    stake: str
    proof: str


class Play(BaseModel):
    """A rule of the playbook."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    when: str
    action: str
    reason: str
    measure: str
    avoid: str
    effort: Literal["low", "medium", "high"] = "medium"
    stake: str = Field("", description="Formula of the value at stake.")
    assuming: str = Field("", description="What that supposes.")
    rate: str = Field("", description="Formula of the share that the test is to raise, as it is now.")
    rate_of: str = Field("", description="What the share counts.")
    rate_unit: str = Field("", description="What the share is a share of, such as visits; empty for customers.")
    rate_count: str = Field("", description="Formula of how many of those the segment makes while the test runs.")
    lift: float = Field(0.25, gt=0, le=10, description="Relative rise that would be worth the effort.")


def read_playbook(path: Path) -> list[tuple[int, Play]]:
    """Read the rules, each with the line that it begins in.

    Raises
    ------
    InputError
        Naming the line of each rule that has an unknown field or number, that divides by zero, or that no segment could
        ever meet.
    """
    place = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
        content, lines = yaml.safe_load(text), _lines(yaml.compose(text, Loader=yaml.SafeLoader))
    except FileNotFoundError:
        raise InputError(f"{place} does not exist.", hint="Restore the file; it contains the actions.") from None
    except UnicodeDecodeError:
        raise InputError(f"{place} is not UTF-8 text.", hint="Save it as UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{place}{line}: not valid YAML.", hint="Check the indentation and the colons.") from None
    if not isinstance(content or [], list):
        raise InputError(f"{place} is not a list of rules.", hint="Each rule begins with '- when: '.")
    plays, faults = [], []
    for item, at in zip(content or [], lines, strict=True):
        try:
            play = Play.model_validate(item)
        except ValidationError as error:
            for each in error.errors()[:3]:
                field = str(each["loc"][0]) if each["loc"] else ""
                near = did_you_mean(field, Play.model_fields) if each["type"] == "extra_forbidden" else ""
                what = "unknown field" if near or each["type"] == "extra_forbidden" else each["msg"].lower()
                faults.append((at.get(field, at[""]), f"field {field}: {what}. {near}".strip() if field else what))
            continue
        found = [(at.get(field, at[""]), fault) for field, fault in _faults(play)]
        faults += found
        if not found:
            plays.append((at[""], play))
    if faults:
        told = [f"{place}, line {line}: {fault}{'' if fault[-1] in '.?' else '.'}" for line, fault in faults[:5]]
        more = [f"... and {len(faults) - 5} more."] if len(faults) > 5 else []
        raise InputError("\n".join([*told, *more]), f"Fields: {', '.join(Play.model_fields)}.")
    return plays


def _lines(node: yaml.Node | None) -> list[dict[str, int]]:
    """For each rule the line that it begins in, under an empty name, and those of its fields."""
    if not isinstance(node, yaml.SequenceNode):
        return []
    rules = []
    for item in node.value:
        fields = item.value if isinstance(item, yaml.MappingNode) else []
        rules.append({"": item.start_mark.line + 1} | {key.value: key.start_mark.line + 1 for key, _ in fields})
    return rules


def _faults(play: Play) -> Iterator[tuple[str, str]]:
    """The fields of a rule that cannot mean what they say, and why."""
    for field in ("when", "stake", "rate", "rate_count"):
        text = getattr(play, field)
        if not text:
            continue
        try:
            rule = parse(text)
        except ValueError as error:
            yield field, str(error)
            continue
        yield from ((field, fault) for name in rule.names if (fault := _unknown(name)))
        if rule.divides_by_zero():
            yield field, f'"{text}" divides by zero'
        elif field == "when" and not rule.can_hold({}):
            yield field, f'"{text}" contradicts itself, so no segment can meet it'
        elif field == "when" and not rule.can_hold(_LIMITS):
            named = _limits([name for name in rule.names if name in _LIMITS])
            yield field, f'"{text}" can never hold: {named}'
    for field in ("action", "reason", "measure", "avoid"):
        yield from ((field, fault) for name in _QUOTE.findall(getattr(play, field)) if (fault := _unknown(name)))


def _limits(names: list[str]) -> str:
    """What values of these numbers can have."""
    told = []
    for name in names:
        low, high = _LIMITS[name]
        told.append(f"{name} is {low:g} or more" if high == np.inf else f"{name} lies between {low:g} and {high:g}")
    return ", ".join(told)


def _unknown(name: str) -> str:
    """Explain why a number is not available; whether the study has such a variable is seen later."""
    owner, _, field = name.partition(".")
    if not field:
        return f"'{name}' is not a number of a segment; write for example {name}.z or {name}.median"
    known = _KNOWN.get(owner)
    if known and field not in known:
        available = [f"{owner}.{each}" for each in known]
        return f"unknown name '{name}'; available: {listed(available)}. {did_you_mean(name, available)}".rstrip()
    return ""


def choose_actions(
    plays: list[tuple[int, Play]],
    segment: SegmentProfile,
    evidence: SegmentEvidence,
    profiles: Profiles,
    by_name: Mapping[str, Variable],
    study: Study,
    formats: Formats,
) -> tuple[Action, ...]:
    """Return the first matching rules of a segment; rules on variables that the study lacks are skipped.

    Raises
    ------
    InputError
        For a rule whose formulas give no number.
    """
    numbers = _facts(segment, evidence, profiles, by_name, study)
    texts = {name: formats.value(value, unit) for name, (value, unit) in numbers.items()}
    texts |= _quotes(segment, profiles, by_name, formats)
    values: dict[str, Any] = {name: value for name, (value, _) in numbers.items()}
    actions = []
    for line, play in plays:
        rule = parse(play.when)
        quoted = _QUOTE.findall(f"{play.action} {play.reason} {play.measure} {play.avoid}")
        if any(name not in values for name in rule.names) or any(name not in texts for name in quoted):
            continue
        if not _number(rule, values, line):
            continue
        action, reason, measure, avoid = (
            _sentence(_QUOTE.sub(lambda match: texts[match[1]], text))
            for text in (play.action, play.reason, play.measure, play.avoid)
        )
        stake, proof = (
            _stake(play, line, values, study, by_name, formats),
            _proof(play, line, values, segment.n, study, formats),
        )
        actions.append(Action(action, reason, measure, avoid, play.effort, play.when, stake, proof))
        if len(actions) == MOST_ACTIONS:
            break
    return tuple(actions)


def check_numbers(plays: list[tuple[int, Play]], variables: Iterable[Variable]) -> None:
    """Refuse rules that name a number which the study's variables do not have.

    Raises
    ------
    InputError
        Naming the line of the rule. Variables that the study lacks are no fault, as a playbook may serve many studies.
    """
    counted = {variable.name for variable in variables if not variable.categorical}
    faults = []
    for line, play in plays:
        quoted = _QUOTE.findall(f"{play.action} {play.reason} {play.measure} {play.avoid}")
        formulas = [parse(text).names for text in (play.when, play.stake, play.rate) if text]
        for name in dict.fromkeys((*(n for names in formulas for n in names), *quoted)):
            owner, _, field = name.partition(".")
            if owner in counted and owner not in _KNOWN and field not in _OF_A_VARIABLE:
                there = [f"{owner}.{each}" for each in _OF_A_VARIABLE]
                near = did_you_mean(name, there)
                faults.append(f"{PLAYBOOK}, line {line}: unknown name '{name}'. {near}".rstrip())
    if faults:
        raise InputError("\n".join(faults[:4]), f"A variable has: {', '.join(_OF_A_VARIABLE)}.", "Correct the rule.")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def find_misspelt(plays: list[tuple[int, Play]], names: Iterable[str]) -> list[str]:
    """Return unknown names in rules that are similar to a name in the study.

    Other unknown names are no fault, as a playbook may serve many studies.
    """
    available, misspelt = set(names), []
    for line, play in plays:
        quoted = _QUOTE.findall(f"{play.action} {play.reason} {play.measure} {play.avoid}")
        owners = dict.fromkeys(name.partition(".")[0] for name in (*parse(play.when).names, *quoted))
        for owner in owners:
            near = get_close_matches(owner, available, n=1, cutoff=ALIKE)
            if owner not in available and owner not in _KNOWN and near:
                misspelt.append(
                    f"{PLAYBOOK}, line {line}: the study has no '{owner}', so the rule is passed over. "
                    f"Did you mean '{near[0]}'?"
                )
    return misspelt


def _number(formula: Expression, values: Mapping[str, Any], line: int) -> float:
    try:
        return float(formula(values))
    except (ValueError, TypeError) as error:
        raise InputError(f"{PLAYBOOK}, line {line}: {error}.", "Rules compare numbers.") from None


def _stake(
    play: Play, line: int, values: Mapping[str, Any], study: Study, by_name: Mapping[str, Variable], formats: Formats
) -> str:
    formula = parse(play.stake) if play.stake else None
    if formula is None or study.value is None or any(name not in values for name in formula.names):
        return ""
    worth = _number(formula, values, line)
    if not np.isfinite(worth) or worth <= 0:
        return ""
    period = f" {study.period}" if study.period else ""
    amount = formats.value(float(f"{worth:.2g}"), by_name[study.value].unit)
    return f"About {amount} of {by_name[study.value].label.lower()}{period}, assuming that {play.assuming}."


def _proof(play: Play, line: int, values: Mapping[str, Any], n: int, study: Study, formats: Formats) -> str:
    """How many customers show the rise that would be worth the effort, in halves of the segment drawn at random.

    Both shares are rounded as they are printed before the size is computed, so that it follows from what stands on
    the page. A share of visits is tested on visits, never on customers.
    """
    formula = parse(play.rate) if play.rate else None
    if formula is None or any(name not in values for name in formula.names):
        return ""
    rate = formats.rounded_share(_number(formula, values, line))
    if not 0 < rate < 1:
        return ""
    wanted = formats.rounded_share(min(rate * (1 + play.lift), (1 + rate) / 2))
    if not rate < wanted < 1:
        return ""
    each, known = holdout_size(rate, wanted), "" if formula.names else " (assumed)"
    rise = f"a rise from {formats.percent(rate)}{known} to {formats.percent(wanted)} {play.rate_of}"
    unit, there = study.customers, formats.people(n)
    if play.rate_unit:
        counted = parse(play.rate_count) if play.rate_count else None
        if counted is None or any(name not in values for name in counted.names):
            return f"{number(each)} {play.rate_unit} with the change and as many without it show {rise}."
        n = int(_number(counted, values, line))
        unit, there = play.rate_unit, f"{formats.about(n)} {play.rate_unit}"
    if 2 * each <= n:
        return f"{number(each)} {unit} with the change and as many without it show {rise}."
    least = formats.rounded_share(_least_rise(rate, n // 2), up=True)
    could = f" Halves of them would show a rise to {formats.percent(least)} or more." if least < 1 else ""
    got = "with the change and as many without" if play.rate_unit else "who get the change and as many who do not"
    return (
        f"Cannot be proved in this segment: {rise} shows with {number(each)} {unit} {got}, "
        f"and there are {there} in all.{could}"
    )


def holdout_size(before: float, after: float) -> int:
    """Compute the size of each of two groups to detect a change of a share, by arcsine effect size (Cohen 1988).

    >>> holdout_size(0.14, 0.18)
    1314
    """
    effect = abs(2 * np.arcsin(np.sqrt(after)) - 2 * np.arcsin(np.sqrt(before)))
    return int(np.ceil(2 * (_QUANTILES / effect) ** 2))


def _least_rise(rate: float, each: int) -> float:
    """The share to which groups of this size would show a rise; 1 where none would."""
    effect = _QUANTILES * np.sqrt(2 / max(each, 1))
    angle = np.arcsin(np.sqrt(rate)) + effect / 2
    return float(np.sin(angle) ** 2) if angle < np.pi / 2 else 1.0


def _facts(
    segment: SegmentProfile,
    evidence: SegmentEvidence,
    profiles: Profiles,
    by_name: Mapping[str, Variable],
    study: Study,
) -> dict[str, tuple[float, str]]:
    """The numbers that a rule may name, with their units."""
    facts = {
        "segment.share": (segment.share, "share"),
        "segment.n": (float(segment.n), "count"),
        "segment.stability": (evidence.slsw, "number"),
    }
    if segment.value_share is not None and segment.value_total is not None and study.value:
        worth = next((d for d in segment.differences if d.variable == study.value), None)
        facts["value.share"] = (segment.value_share, "share")
        facts["value.ratio"] = (segment.value_share / segment.share, "number")
        facts["value.total"] = (segment.value_total, by_name[study.value].unit)
        if worth:
            facts["value.median"] = (worth.summary.median, by_name[study.value].unit)
    for owner, d in _notable(segment, by_name).items():
        facts |= {f"{owner}.z": (d.z, "number"), f"{owner}.ratio": (d.ratio, "number")}
        if owner == "outcome" and by_name[d.variable].unit == "yes_no":
            facts["outcome.rate"] = (d.summary.mean, "share")
    for d in (d for d in segment.differences if segment.is_typical(d.summary)):
        unit, base = by_name[d.variable].unit, profiles.everyone[d.variable]
        numbers = (d.z, d.ratio, d.summary.mean, d.summary.median, base.mean, base.median)
        units = ("number", "number", unit, unit, unit, unit)
        facts |= {
            f"{d.variable}.{field}": (number, own)
            for field, number, own in zip(_OF_A_VARIABLE, numbers, units, strict=True)
        }
    for found in [c for c in profiles.categories if by_name[c.variable].unit != "yes_no"]:
        for level, here, everyone in zip(found.levels, found.segments[segment.id - 1], found.everyone, strict=True):
            name = f"{found.variable}.{re.sub(r'[^a-z0-9]+', '_', level.lower()).strip('_')}"
            facts |= {name: (here, "share"), f"{name}_lift": (here / everyone if everyone else 1.0, "number")}
    return facts


def _notable(segment: SegmentProfile, by_name: Mapping[str, Variable]) -> dict[str, Difference]:
    """The forming feature and the outcome that differ most, under the names ``top`` and ``outcome``."""
    notable = {}
    for owner, role in (("top", "feature"), ("outcome", "outcome")):
        candidates = [
            d for d in segment.differences if by_name[d.variable].role == role and segment.is_typical(d.summary)
        ]
        if candidates:
            notable[owner] = max(candidates, key=lambda d: (abs(d.z), d.variable))
    return notable


def _quotes(
    segment: SegmentProfile, profiles: Profiles, by_name: Mapping[str, Variable], formats: Formats
) -> dict[str, str]:
    """What a reason may quote of them beside numbers: the label, and the value here and over everyone."""
    texts = {}
    for owner, d in _notable(segment, by_name).items():
        variable, base = by_name[d.variable], profiles.everyone[d.variable]
        formatted = formats.told(variable.unit, (d.summary.mean, d.summary.median), (base.mean, base.median))
        measure, here, everyone = formatted or ("median", *[formats.value(base.median, variable.unit)] * 2)
        heads = {"mean": "on average ", "median": "typically ", "share": ""}
        texts |= {
            f"{owner}.label": in_sentence(variable.label),
            f"{owner}.here": f"{heads[measure]}{here}",
            f"{owner}.all": everyone,
        }
    return texts
