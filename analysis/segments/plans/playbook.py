"""Rules of the playbook: their fields, the names they may use, and what is checked when the file is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.expressions import parse
from analysis.base.yamls import LOADER, read_yaml
from analysis.features.build import Variable
from analysis.segments.plans.experiments import KPIS
from analysis.settings.models import SLOTS as SLOTS
from analysis.settings.models import Meaning
from analysis.settings.models import SlotName as SlotName

PLAYBOOK = "templates/playbook.yml"
ALIKE = 0.85
"""From which similarity of spelling (difflib) a name is taken for a slip. Threshold chosen for this project."""
QUOTE = re.compile(r"\{([\w.]+)\}")
OF_A_VARIABLE = ("z", "ratio", "mean", "median", "everyone", "everyone_median")
_OF_A_ROLE = (*OF_A_VARIABLE, "share", "rate", "label", "here", "all", "fact")
ATTITUDES = (
    "says_expensive", "says_cheap", "says_good", "says_bad", "says_healthy", "says_easy", "says_service", "says_loyal",
    "says_green", "says_new", "agrees", "disagrees",
)  # fmt: skip
"""Answers of a survey by what they are about, and those that a segment gives most and least above everyone."""
CHANNEL_KEYS = (
    "store", "website", "app", "catalogue", "phone", "branch", "email", "marketplace", "partner", "visit",
)  # fmt: skip
ROLES: dict[str, tuple[str, ...]] = {
    "segment": ("share", "n", "stability"),
    "value": ("share", "ratio", "median", "total", "rank"),
    "study": ("orders", "survey", "visits", "subscription", "bank", "business", "value"),
    "channel": ("share", "everyone", "excess", *CHANNEL_KEYS),
    "product": ("share", "everyone", "excess", "second_share", "both", "second", "of", "count"),
    "favourite": ("share", "everyone", "excess"),
    "rhythm": ("gap", "wait", "recent"),
    "top": ("z", "ratio", "label", "here", "all", "fact", "more", "less"),
    "outcome": ("z", "ratio", "rate", "label", "here", "all", "fact", "worse", "better"),
    **{meaning: _OF_A_ROLE for meaning in get_args(Meaning) if meaning not in {"part", "other", "opinion"}},
    **dict.fromkeys(ATTITUDES, (*_OF_A_ROLE, "good")),
}
"""Roles that a rule may name, each with its fields; a study has those that its data fill."""
TEXTS = (
    "customers", "channel", "place", "whole", "product", "favourite", "gap", "wait", "period", "discount", "orders",
    "basket",
)  # fmt: skip
"""Texts in braces that have no field."""
PROSE = ("action", "reason", "say", "subject", "channel", "moment", "measure", "leave_out", "avoid")
_LIMITS = {
    "segment.share": (0.0, 1.0),
    "segment.stability": (0.0, 1.0),
    "segment.n": (1.0, np.inf),
    "value.share": (0.0, 1.0),
    "channel.share": (0.0, 1.0),
    "product.share": (0.0, 1.0),
}
Fraction = Annotated[float, Field(gt=0, le=1)]


class Play(BaseModel):
    """A rule of the playbook."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    slot: SlotName = Field("campaign", description="Part of the plan that the rule fills.")
    when: str = Field(description="Condition on the numbers of a segment.")
    action: str = Field(description="What to do.")
    reason: str = Field(description="Why, with one number.")
    measure: str = Field(description="The KPI, and what it is compared with.")
    leave_out: str = Field("", description="Whom to leave out; by default those who asked for no messages.")
    avoid: str = Field("", description="What to avoid.")
    say: str = Field("", description="Angle of the message.")
    subject: str = Field("", description="An example subject line.")
    channel: str = Field("", description="Where; by default the largest channel that reaches them.")
    moment: str = Field("", description="When; by default what the data say about their rhythm.")
    effort: Literal["low", "medium", "high"] = "medium"
    prize: tuple[Fraction, Fraction] | None = Field(None, description="Lowest and highest share of their value.")
    assuming: str = Field("", description="What that share stands for, after '1 in 40 to 1 in 13'.")
    test: str = Field("", description="KPI of the test, by name.")
    stake: str = Field("", description="Formula of the value at stake, in place of a prize.")
    rate: str = Field("", description="Formula of the share that the test changes, in place of a KPI by name.")
    rate_of: str = Field("", description="What the share counts.")
    rate_unit: str = Field("", description="What the share is a share of, such as visits; empty for customers.")
    rate_count: str = Field("", description="Formula of how many of those the segment makes while the test runs.")
    lift: float = Field(0.25, gt=0, le=10, description="Accepted from earlier playbooks; no longer used.")

    @field_validator("prize")
    @classmethod
    def _low_to_high(cls, prize: tuple[float, float] | None) -> object:
        if prize and prize[0] > prize[1]:
            raise ValueError("the lower share comes first")
        return prize

    def quoted(self) -> list[str]:
        """List the names in braces of all texts."""
        return [name for field in PROSE for name in QUOTE.findall(getattr(self, field))]

    def reads(self) -> set[str]:
        """List the owners of the numbers that decide whether the rule applies."""
        return {name.partition(".")[0] for name in parse(self.when).names}

    def is_specific(self) -> bool:
        """Return whether the rule is older than slots or reads a column of the study rather than roles."""
        return "slot" not in self.model_fields_set or any(owner not in ROLES for owner in self.reads())


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
        content, lines = read_yaml(text), _lines(yaml.compose(text, LOADER))
    except FileNotFoundError:
        raise InputError(f"{place} does not exist.", hint="Restore the file; it contains the actions.") from None
    except UnicodeDecodeError:
        raise InputError(f"{place} is not UTF-8 text.", hint="Save it as UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{place}{line}: not valid YAML.", hint="Check the indentation and the colons.") from None
    if not isinstance(content or [], list):
        raise InputError(f"{place} is not a list of rules.", hint="Each rule begins with '- slot: ' or '- when: '.")
    plays, faults = [], []
    for item, at in zip(content or [], lines, strict=True):
        try:
            play = Play.model_validate(item)
        except ValidationError as error:
            for each in error.errors()[:3]:
                field = str(each["loc"][0]) if each["loc"] else ""
                near = did_you_mean(field, Play.model_fields) if each["type"] == "extra_forbidden" else ""
                message = each["msg"].removeprefix("Value error, ").lower()
                what = "unknown field" if near or each["type"] == "extra_forbidden" else message
                faults.append((at.get(field, at[""]), f"field {field}: {what}. {near}".strip() if field else what))
            continue
        found = [(at.get(field, at[""]), fault) for field, fault in _faults(play)]
        faults += found
        if not found:
            plays.append((at[""], play))
    if faults:
        shown = [f"{place}, line {line}: {fault}{'' if fault[-1] in '.?' else '.'}" for line, fault in faults[:5]]
        more = [f"... and {len(faults) - 5} more."] if len(faults) > 5 else []
        raise InputError("\n".join([*shown, *more]), f"Fields: {', '.join(Play.model_fields)}.")
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
    for field in PROSE:
        names = QUOTE.findall(getattr(play, field))
        yield from ((field, fault) for name in names if (fault := _unknown_text(name)))
    if play.test and play.test not in KPIS and play.test not in ATTITUDES:
        known = [*KPIS, *ATTITUDES]
        yield "test", f"unknown KPI '{play.test}'; available: {listed(known, 30)}. {did_you_mean(play.test, known)}"


def _limits(names: list[str]) -> str:
    """What values of these numbers can have."""
    texts = []
    for name in names:
        low, high = _LIMITS[name]
        texts.append(f"{name} is {low:g} or more" if high == np.inf else f"{name} lies between {low:g} and {high:g}")
    return ", ".join(texts)


def _unknown_text(name: str) -> str:
    return "" if name in TEXTS else _unknown(name)


def _unknown(name: str) -> str:
    """Explain why a number is not available; whether the study has such a variable is seen later."""
    owner, _, field = name.partition(".")
    if not field:
        return f"'{name}' is not a number of a segment; write for example {name}.z or {name}.median"
    known = ROLES.get(owner)
    if known and field not in known:
        available = [f"{owner}.{each}" for each in known]
        return f"unknown name '{name}'; available: {listed(available)}. {did_you_mean(name, available)}".rstrip()
    return ""


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
        formulas = [parse(text).names for text in (play.when, play.stake, play.rate) if text]
        for name in dict.fromkeys((*(n for names in formulas for n in names), *play.quoted())):
            owner, _, field = name.partition(".")
            if name not in TEXTS and owner in counted and owner not in ROLES and field not in OF_A_VARIABLE:
                there = [f"{owner}.{each}" for each in OF_A_VARIABLE]
                near = did_you_mean(name, there)
                faults.append(f"{PLAYBOOK}, line {line}: unknown name '{name}'. {near}".rstrip())
    if faults:
        raise InputError("\n".join(faults[:4]), f"A variable has: {', '.join(OF_A_VARIABLE)}.", "Correct the rule.")


def find_misspelt(plays: list[tuple[int, Play]], names: Iterable[str]) -> list[str]:
    """Return unknown names in rules that are similar to a name in the study.

    Other unknown names are no fault, as a playbook may serve many studies.
    """
    available, misspelt = set(names), []
    for line, play in plays:
        owners = dict.fromkeys(name.partition(".")[0] for name in (*parse(play.when).names, *play.quoted()))
        for owner in owners:
            near = get_close_matches(owner, available, n=1, cutoff=ALIKE)
            if owner not in available and owner not in ROLES and owner not in TEXTS and near:
                misspelt.append(
                    f"{PLAYBOOK}, line {line}: the study has no '{owner}', so the rule is passed over. "
                    f"Did you mean '{near[0]}'?"
                )
    return misspelt
