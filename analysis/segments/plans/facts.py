"""What rules may read of a segment: numbers and texts by role, whatever the columns of the study are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.base.formats import Formats, in_words, rounded
from analysis.clustering.evidence import SegmentEvidence
from analysis.features.build import Variable
from analysis.profiles.mixes import REST, WHOLES, Mix
from analysis.profiles.profile import Difference, Profiles, SegmentProfile, Summary
from analysis.profiles.themes import Trait
from analysis.segments.phrases import Phrases, answer, duration
from analysis.segments.plans.channels import Channel, share_channels
from analysis.segments.plans.playbook import ATTITUDES, OF_A_VARIABLE
from analysis.settings.models import Study
from analysis.sources.names import split_words


def _words_of(**families: str) -> Mapping[str, frozenset[str]]:
    return {family: frozenset(words.split()) for family, words in families.items()}


ATTITUDE_WORDS = _words_of(
    says_expensive="expensive price prices pricey dear teuer preis cher prix caro precio duur",
    says_cheap="cheap affordable inexpensive value billig günstig barato economico goedkoop",
    says_bad="disgusting greasy fattening awful poor bad slow boring unhealthy difficult unfriendly ekelhaft schlecht",
    says_good="tasty yummy delicious good quality great fresh reliable lecker gut qualität",
    says_healthy="healthy health organic light gesund sain sano gezond",
    says_easy="convenient convenience fast easy quick simple bequem schnell einfach",
    says_service="service advice staff friendly helpful beratung",
    says_loyal="loyal loyalty trust treu",
    says_green="sustainability sustainable environment ethical green nachhaltig",
    says_new="trends trend new novelty innovative fashion",
)
"""Words in the label of an answer by what it is about."""
NUMBERS = {"one": 1, "a": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12}
DAYS = {"day": 1, "week": 7, "month": 30.4, "quarter": 91, "year": 365}
SHORTEST_GAP = 3
"""Fewest days between two orders that make a rhythm. Threshold chosen for this project."""
_PERIOD = re.compile(r"\b(\d+|[a-z]+) (day|week|month|quarter|year)s?\b")
_LAST_YEAR = re.compile(r"\b(?:last|past|per|a|this) (week|month|quarter|year)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Facts:
    """Numbers of a segment with their units, and texts, by name; and the channels that reach it, the largest first."""

    numbers: Mapping[str, tuple[float, str]]
    texts: Mapping[str, str]
    channels: tuple[Channel, ...]
    traits: Mapping[str, Trait]

    def values(self) -> dict[str, float]:
        """Return the numbers alone."""
        return {name: value for name, (value, _) in self.numbers.items()}

    def printed(self, formats: Formats) -> dict[str, str]:
        """Return all that a text may quote."""
        return {name: _readable(value, unit, formats) for name, (value, unit) in self.numbers.items()} | dict(
            self.texts
        )


def gather_facts(
    segment: SegmentProfile,
    evidence: SegmentEvidence,
    profiles: Profiles,
    traits: Sequence[Trait],
    mixes: Sequence[Mix],
    study: Study,
    formats: Formats,
) -> Facts:
    """Collect everything that rules may read of one segment.

    Parameters
    ----------
    segment : SegmentProfile
    evidence : SegmentEvidence
    profiles : Profiles
        Of all segments.
    traits : sequence of Trait
        Of all variables.
    mixes : sequence of Mix
        Of this segment.
    study : Study
    formats : Formats
    """
    by_name = {trait.name: trait.variable for trait in traits}
    own = {d.variable: d for d in segment.differences if segment.is_typical(d.summary) and d.variable in by_name}
    roles = choose_traits(traits, own, study)
    numbers = {**_of_segment(segment, evidence, profiles, by_name, study), **_of_study(traits, study)}
    texts = {"customers": study.customers, "period": study.period}
    for role, trait in roles.items():
        difference, base = own[trait.name], profiles.everyone[trait.name]
        numbers |= {f"{role}.{field}": value for field, value in _fields(difference, base, trait.variable).items()}
        texts |= _words(role, difference, profiles, trait, study, formats)
        if role in ATTITUDES:
            bad = {roles[each].name for each in ("says_expensive", "says_bad") if each in roles}
            numbers[f"{role}.good"] = (float(trait.name not in bad), "number")
    found, channels = share_channels(mixes, traits, own, profiles)
    numbers |= found
    if channels:
        texts |= {"channel": channels[0].name, "place": channels[0].place}
    more_numbers, more_texts = _products(mixes)
    numbers, texts = numbers | more_numbers, texts | more_texts
    more_numbers, more_texts = _rhythm(roles, own, study)
    numbers, texts = numbers | more_numbers, texts | more_texts
    texts |= {"whole": next((_whole(mix) for mix in mixes if mix.theme == "channels"), "orders")}
    texts |= _habits(roles, own, study, formats)
    for owner, d in _notable(own, by_name).items():
        numbers |= {f"{owner}.z": (_said(d), "number"), f"{owner}.ratio": (d.ratio, "number")}
        numbers |= _direction(owner, d, traits)
        if owner == "outcome" and by_name[d.variable].unit == "yes_no":
            numbers["outcome.rate"] = (d.summary.mean, "share")
        trait = next(trait for trait in traits if trait.name == d.variable)
        texts |= _words(owner, d, profiles, trait, study, formats)
    for name, d in own.items():
        fields = _fields(d, profiles.everyone[name], by_name[name])
        numbers |= {f"{name}.{field}": fields[field] for field in OF_A_VARIABLE}
    return Facts(numbers | _levels(segment, profiles, by_name), texts, channels, roles)


def choose_traits(traits: Sequence[Trait], own: Mapping[str, Difference], study: Study) -> dict[str, Trait]:
    """Choose the variable of each role: the one that the settings name, else the first that formed segments.

    Parameters
    ----------
    traits : sequence of Trait
    own : mapping of str to Difference
        Published differences of one segment.
    study : Study
        Uses ``targeting.response``.
    """
    chosen: dict[str, Trait] = {}
    shown = [trait for trait in traits if trait.name in own and not trait.variable.categorical]
    for meaning in dict.fromkeys(trait.meaning for trait in shown):
        if meaning in {"part", "other", "opinion"}:
            continue
        chosen[meaning] = min((t for t in shown if t.meaning == meaning), key=lambda t: _rank(t, study))
    opinions = [trait for trait in shown if trait.meaning == "opinion"]
    for trait in opinions:
        words = {word.casefold() for word in split_words(trait.label)}
        role = next((role for role, known in ATTITUDE_WORDS.items() if words & known), "")
        if role and (role not in chosen or abs(own[trait.name].z) > abs(own[chosen[role].name].z)):
            chosen[role] = trait
    if opinions:
        chosen["agrees"] = max(opinions, key=lambda t: own[t.name].z)
        chosen["disagrees"] = min(opinions, key=lambda t: own[t.name].z)
    return chosen


def _rank(trait: Trait, study: Study) -> tuple[object, ...]:
    variable = trait.variable
    outcome = trait.meaning in {"response", "churn", "default", "complaint"}
    roles = ("outcome", "feature", "descriptor") if outcome else ("feature", "descriptor", "outcome")
    last = "last" in split_words(trait.label.casefold())
    share = {"discount": "share", "children": "yes_no"}.get(trait.meaning, variable.unit)
    place = roles.index(variable.role) if variable.role in roles else 3
    return (trait.name != study.targeting.response, variable.unit != share, place, outcome and not last)


def _fields(d: Difference, base: Summary, variable: Variable) -> dict[str, tuple[float, str]]:
    unit, summary = variable.unit, d.summary
    fields = {
        "z": (_said(d), "number"),
        "ratio": (d.ratio, "number"),
        "mean": (summary.mean, unit),
        "median": (summary.median, unit),
        "everyone": (base.mean, unit),
        "everyone_median": (base.median, unit),
    }
    if unit in {"yes_no", "share"}:
        fields |= {"share": (summary.mean, "share"), "rate": (summary.mean, "share")}
    return fields


def _said(d: Difference) -> float:
    """The difference as rules read it: none where scale and original units disagree, as a text must not state it."""
    return d.z if d.direction else 0.0


def _words(
    owner: str, d: Difference, profiles: Profiles, trait: Trait, study: Study, formats: Formats
) -> dict[str, str]:
    """The label, the value here and over everyone, and a sentence with both, as a text may quote them.

    There is no sentence where both sides would read alike.
    """
    base, unit, phrases = profiles.everyone[d.variable], trait.variable.unit, Phrases(trait, study)
    shown = formats.told(unit, (d.summary.mean, d.summary.median), (base.mean, base.median))
    measure = shown[0] if shown else "median"
    values = (d.summary.median, base.median) if measure == "median" else (d.summary.mean, base.mean)
    here, everyone = (_readable(value, unit, formats) for value in values)
    head = {"mean": "on average ", "median": "typically ", "share": ""}[measure]
    texts = {f"{owner}.label": trait.label, f"{owner}.here": f"{head}{here}", f"{owner}.all": everyone}
    if measure == "share":
        said = f"{here} say “{answer(phrases.label)}”" if trait.meaning == "opinion" else ""
        said = said or f"“{phrases.label}” applies to {here} of them"
        texts[f"{owner}.fact"] = f"{said}, against {everyone} of everyone."
    elif d.direction and shown and (figures := [phrases.figure(value, formats) for value in values])[0] != figures[1]:
        verb = phrases.more() if d.direction > 0 else phrases.less()
        texts[f"{owner}.fact"] = phrases.statement(verb, figures[0], figures[1], measure == "median")
    return texts


def _readable(value: float, unit: str, formats: Formats) -> str:
    """A number as a sentence says it: rounded, and shares to the whole per cent."""
    if unit in {"share", "yes_no"}:
        return formats.whole_percent(value)
    if unit == "days":
        return duration(value)
    return formats.value(rounded(value) if unit in {"money", "years", "number"} else value, unit)


def _of_segment(
    segment: SegmentProfile,
    evidence: SegmentEvidence,
    profiles: Profiles,
    by_name: Mapping[str, Variable],
    study: Study,
) -> dict[str, tuple[float, str]]:
    facts = {
        "segment.share": (segment.share, "share"),
        "segment.n": (float(segment.n), "count"),
        "segment.stability": (evidence.slsw, "number"),
    }
    if segment.value_share is None or segment.value_total is None or not study.value or study.value not in by_name:
        return facts
    means = sorted(((s.value_share or 0) / s.share for s in profiles.segments), reverse=True)
    worth = next((d for d in segment.differences if d.variable == study.value), None)
    facts["value.share"] = (segment.value_share, "share")
    facts["value.ratio"] = (segment.value_share / segment.share, "number")
    facts["value.total"] = (segment.value_total, by_name[study.value].unit)
    facts["value.rank"] = (float(means.index(segment.value_share / segment.share) + 1), "count")
    if worth:
        facts["value.median"] = (worth.summary.median, by_name[study.value].unit)
    return facts


def _of_study(traits: Iterable[Trait], study: Study) -> dict[str, tuple[float, str]]:
    """Return the kinds of study that its variables make it, as facts that are 1."""
    traits = list(traits)
    meanings = {trait.meaning for trait in traits}
    asked = sum(trait.meaning == "opinion" and trait.variable.role == "feature" for trait in traits)
    orders = bool(meanings & {"frequency", "recency", "basket", "gap", "expected_spend"})
    visits = not orders and bool(meanings & {"pages", "conversion", "last_visit"})
    business = "company_size" in meanings
    bank = not business and "balance" in meanings
    paid = {"tenure", "usage"} & meanings and {"churn", "spend", "usage"} & meanings
    return {
        f"study.{name}": (float(holds), "number")
        for name, holds in (
            ("orders", orders), ("survey", asked >= 3 and not orders), ("visits", visits), ("bank", bank),
            ("business", business), ("value", study.value is not None),
            ("subscription", bool(paid) and not orders and not bank and not business),
        )
    }  # fmt: skip


def _whole(mix: Mix) -> str:
    return "spending" if WHOLES.get(mix.whole.casefold()) == "spend" else mix.whole


def _products(mixes: Sequence[Mix]) -> tuple[dict[str, tuple[float, str]], dict[str, str]]:
    mix = next((mix for mix in mixes if mix.theme == "products"), None)
    parts = [part for part in mix.parts if part.part != REST] if mix else []
    if mix is None or len(parts) < 2:
        return {}, {}
    first, second = sorted(parts, key=lambda part: -part.share)[:2]
    lead = max(parts, key=lambda part: part.share - part.everyone)
    numbers = {
        "product.share": (first.share, "share"),
        "product.everyone": (first.everyone, "share"),
        "product.excess": (first.share - first.everyone, "share"),
        "product.second_share": (second.share, "share"),
        "product.both": (first.share + second.share, "share"),
        "product.count": (float(len(parts)), "count"),
        "favourite.share": (lead.share, "share"),
        "favourite.everyone": (lead.everyone, "share"),
        "favourite.excess": (lead.share - lead.everyone, "share"),
    }
    spent = WHOLES.get(mix.whole.casefold()) == "spend"
    of = "what they spend" if spent else f"their {mix.whole}"
    return numbers, {"product": first.part, "product.second": second.part, "favourite": lead.part, "product.of": of}


def _rhythm(
    roles: Mapping[str, Trait], own: Mapping[str, Difference], study: Study
) -> tuple[dict[str, tuple[float, str]], dict[str, str]]:
    """The usual days between two orders: measured, or the period of the study by the number of orders."""
    gap = 0.0
    if "gap" in roles:
        gap = own[roles["gap"].name].summary.median
    elif "frequency" in roles:
        trait = roles["frequency"]
        last = _LAST_YEAR.search(trait.label)
        days = DAYS[last[1].lower()] if last else read_period(study.period)
        orders = own[trait.name].summary.median
        gap = days / orders if days and orders >= 1 else 0.0
    numbers: dict[str, tuple[float, str]] = {}
    texts: dict[str, str] = {}
    if gap >= SHORTEST_GAP:
        numbers = {"rhythm.gap": (gap, "days"), "rhythm.wait": (2 * gap, "days")}
        texts = {"gap": span(gap), "wait": span(2 * gap)}
    return numbers, texts


def _habits(
    roles: Mapping[str, Trait], own: Mapping[str, Difference], study: Study, formats: Formats
) -> dict[str, str]:
    """How often, how large and at what discount they order, in words that continue a sentence."""
    texts = {}
    if "frequency" in roles:
        label, n = roles["frequency"].label, own[roles["frequency"].name].summary.median
        last = _LAST_YEAR.search(label)
        period = f"in the last {last[1].lower()}" if last else study.period
        texts["orders"] = f"{formats.plain(n)} order{'' if n == 1 else 's'} {period}".rstrip()
    if "basket" in roles:
        basket = roles["basket"]
        texts["basket"] = _readable(own[basket.name].summary.median, basket.variable.unit, formats)
    if "discount" in roles:
        trait, median = roles["discount"], own[roles["discount"].name].summary.median
        of_orders = "order" in trait.label.lower()
        share = formats.whole_percent(median if median <= 1 else median / 100)
        texts["discount"] = f"a discount on {share} of their orders" if of_orders else f"an average discount of {share}"
    return texts


def read_period(text: str) -> float:
    """Return the days of a period in words; 0 where it names none.

    >>> read_period("in two years"), read_period("in the last quarter"), read_period("")
    (730, 91, 0)
    """
    found = _PERIOD.search(text.lower())
    if found is None:
        return 0
    n = NUMBERS.get(found[1]) or (int(found[1]) if found[1].isdigit() else 1)
    return n * DAYS[found[2]]


def span(days: float) -> str:
    """Say how long something takes, to the nearest whole unit.

    >>> span(38), span(9), span(100), span(800)
    ('five weeks', 'nine days', 'three months', 'two years')
    """
    for limit, length, unit in ((14, 1, "day"), (100, 7, "week"), (700, 30.4, "month"), (float("inf"), 365, "year")):
        if days < limit:
            n = max(1, round(days / length))
            return f"{in_words(n)} {unit}{'' if n == 1 else 's'}"
    raise AssertionError


def _notable(own: Mapping[str, Difference], by_name: Mapping[str, Variable]) -> dict[str, Difference]:
    """The forming feature and the outcome that differ most, under the names ``top`` and ``outcome``."""
    notable = {}
    for owner, role in (("top", "feature"), ("outcome", "outcome")):
        candidates = [d for d in own.values() if by_name[d.variable].role == role and d.direction]
        if candidates:
            notable[owner] = max(candidates, key=lambda d: (abs(d.z), d.variable))
    return notable


def _direction(owner: str, d: Difference, traits: Sequence[Trait]) -> dict[str, tuple[float, str]]:
    """Whether the difference is up or down, or for an outcome better or worse than everyone's: 1 for yes."""
    if owner == "top":
        return {"top.more": (float(d.direction > 0), "number"), "top.less": (float(d.direction < 0), "number")}
    better = next(trait.better for trait in traits if trait.name == d.variable)
    good = d.direction > 0 if better != "less" else d.direction < 0
    return {"outcome.better": (float(good), "number"), "outcome.worse": (float(not good), "number")}


def _levels(
    segment: SegmentProfile, profiles: Profiles, by_name: Mapping[str, Variable]
) -> dict[str, tuple[float, str]]:
    """Shares of the levels of categories, with their lift."""
    facts: dict[str, tuple[float, str]] = {}
    for found in profiles.categories:
        variable = by_name.get(found.variable)
        if variable is None or variable.unit == "yes_no":
            continue
        for level, here, everyone in zip(found.levels, found.segments[segment.id - 1], found.everyone, strict=True):
            name = f"{found.variable}.{re.sub(r'[^a-z0-9]+', '_', level.lower()).strip('_')}"
            facts |= {name: (here, "share"), f"{name}_lift": (here / everyone if everyone else 1.0, "number")}
    return facts
