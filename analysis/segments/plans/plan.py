"""The plan of each segment: a campaign, a recommendation, a service, a product and what keeps its customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.base.expressions import parse
from analysis.base.formats import Formats, in_sentence, short_percentage
from analysis.base.weights import deviations, means
from analysis.clustering.algorithms import Labels
from analysis.clustering.evidence import SegmentEvidence
from analysis.features.build import FeatureTable
from analysis.profiles.mixes import Mix
from analysis.profiles.neighbours import rank_neighbours
from analysis.profiles.profile import Profiles
from analysis.profiles.themes import Trait
from analysis.profiles.timing import BusyTime
from analysis.segments.plans.baselines import Baselines, compute
from analysis.segments.plans.experiments import (
    ASKED,
    KPIS,
    NEARLY,
    WINDOWS,
    Amount,
    Design,
    Pool,
    check_assumptions,
    design_test,
    round_rate,
)
from analysis.segments.plans.facts import gather_facts
from analysis.segments.plans.playbook import ATTITUDES, PROSE, QUOTE, SLOTS, Play, SlotName
from analysis.settings.models import Study

NEEDS: Mapping[SlotName, str] = {
    "campaign": "Needs the channel of each order or the answers to earlier campaigns.",
    "recommendation": "Needs orders by product group.",
    "service": "Needs support contacts, complaints or satisfaction by customer.",
    "product": "Needs orders by product group, or a survey of what customers want.",
    "retention": "Needs the date of each customer's last order or visit, or who has left.",
}
"""The data that would fill a slot which no rule fills."""
VERBS: Mapping[SlotName, str] = {
    "campaign": "Send it to",
    "recommendation": "Show it to",
    "service": "Offer it to",
    "product": "Offer it to",
    "retention": "Use it for",
}
PICKED = " {treated} picked at random, hold back {held}"
UNKNOWN = "Offer it to {treated} people like them, picked at random, and not to {held} others"
"""What is done with the respondents of a survey, who have no address."""
LEAVE_OUT: Mapping[SlotName, str] = {
    "campaign": "Those who asked for no messages",
    "recommendation": "Those who are in another test",
    "service": "Those who are in another test",
    "product": "Those who are in another test",
    "retention": "Those who asked for no messages",
}
"""Whom to leave out where a rule names nobody."""
DIRECT: frozenset[SlotName] = frozenset({"campaign", "retention"})
"""Slots that need a channel which reaches a person rather than a visitor."""
LEAST_CHANNEL = 0.05
"""Smallest share of a channel that can carry a campaign. Threshold chosen for this project."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One part of the plan of a segment.

    Attributes
    ----------
    slot : str
        campaign, recommendation, service, product or retention.
    action, why, channel, moment, message, subject, leave_out, avoid, kpi : str
        Empty where no rule fills the slot.
    effort : str
        low, medium or high.
    prize_low, prize_high : float, optional
        In units of the value; None without a value.
    prize : str
        The range in a sentence, with its assumption.
    prize_shares : tuple of (float, float), optional
        Lowest and highest share of the segment's value that is assumed to be at stake.
    prize_of, assuming : str
        Words of the sentence: of what or when the prize is, and what the shares are shares of.
    design : Design, optional
    rule : str
        Condition of the rule, for the command line only.
    line : int
        Line of the rule in the playbook; 0 for none.
    values : tuple of (str, str)
        Numbers that the condition read, for the command line only.
    needs : str
        The data that would fill the slot, where no rule does.
    reads : tuple of str
        Variables behind the condition.
    lesson, verdict : str
        What a test of the action taught; empty before one is measured.
    """

    slot: SlotName
    action: str = ""
    why: str = ""
    channel: str = ""
    moment: str = ""
    message: str = ""
    subject: str = ""
    leave_out: str = ""
    avoid: str = ""
    kpi: str = ""
    effort: str = ""
    prize_low: float | None = None
    prize_high: float | None = None
    prize: str = ""
    prize_shares: tuple[float, float] | None = None
    prize_of: str = ""
    assuming: str = ""
    design: Design | None = None
    rule: str = ""
    line: int = 0
    values: tuple[tuple[str, str], ...] = ()
    needs: str = ""
    reads: tuple[str, ...] = ()
    lesson: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of the segments when their plans are made.

    Attributes
    ----------
    profiles : Profiles
        k segments.
    evidence : tuple of SegmentEvidence, length k
    traits : tuple of Trait
    mixes : tuple of tuple of Mix, length k
    names : tuple of str, length k
        How a sentence names each segment.
    verdict : str
    times : tuple of tuple of BusyTime, length k
        When each segment buys more often than at other times; empty where purchases have no dates.
    """

    profiles: Profiles
    evidence: tuple[SegmentEvidence, ...]
    traits: tuple[Trait, ...]
    mixes: tuple[tuple[Mix, ...], ...]
    names: tuple[str, ...]
    verdict: str
    times: tuple[tuple[BusyTime, ...], ...] = ()


def make_plans(
    plays: Sequence[tuple[int, Play]], described: Described, table: FeatureTable, labels: Labels, study: Study
) -> tuple[tuple[Slot, ...], ...]:
    """Fill the five slots of each segment; no two segments get the same action for the same reason.

    Parameters
    ----------
    plays : sequence of (int, Play)
        Rules of the playbook, as `read_playbook` gives them.
    described : Described
    table : FeatureTable
        n customers, for baselines and spreads.
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    study : Study

    Returns
    -------
    tuple of tuple of Slot, length k
        Five each; none where the verdict is that there is no structure.

    Raises
    ------
    InputError
        For a rule whose formulas give no number, or an assumption that no KPI uses.
    """
    check_assumptions(study.assumptions)
    if described.verdict == "none":
        return ((),) * len(described.profiles.segments)
    return _Planner(described, table, labels, study).plan(plays)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A rule that holds for a segment, with its texts filled in."""

    line: int
    play: Play
    texts: Mapping[str, str]


class _Planner:
    """Plans of all segments of one study."""

    def __init__(self, described: Described, table: FeatureTable, labels: Labels, study: Study) -> None:
        self.described, self.study, self.labels, self.frame = described, study, labels, table.frame
        self.weights = table.weights
        self.formats = Formats(study.currency, study.customers, study.min_cell)
        each = zip(described.profiles.segments, described.evidence, described.mixes, strict=True)
        self.facts = [
            gather_facts(segment, evidence, described.profiles, described.traits, mixes, study, self.formats)
            for segment, evidence, mixes in each
        ]
        self.baselines = Baselines(self.facts, described.profiles, table, labels, study)
        self.printed = [facts.printed(self.formats) for facts in self.facts]

    def plan(self, plays: Sequence[tuple[int, Play]]) -> tuple[tuple[Slot, ...], ...]:
        """Fill slot after slot, so that each segment can be given another action than those before it."""
        found: list[list[Slot]] = [[] for _ in self.facts]
        for slot in SLOTS:
            # Rules of the user's own columns say more than rules on roles.
            rules = sorted((p for p in plays if p[1].slot == slot), key=lambda p: not p[1].is_specific())
            actions: set[str] = set()
            pairs: set[tuple[str, str]] = set()
            for i, slots in enumerate(found):
                chosen = self._choose(i, rules, actions, pairs, {each.why for each in slots})
                slots.append(self._fill(i, chosen) if chosen else Slot(slot, needs=NEEDS[slot]))
                if chosen:
                    actions.add(slots[-1].action)
                    pairs.add((slots[-1].action, slots[-1].why))
        return tuple(map(tuple, found))

    def _choose(
        self,
        i: int,
        rules: Sequence[tuple[int, Play]],
        actions: set[str],
        pairs: set[tuple[str, str]],
        said: set[str],
    ) -> _Chosen | None:
        """Return the first rule that holds, with an action that no segment has yet and a reason not given here before.

        Where there is none, a reason may be given again, then an action for another reason.
        """
        holding = list(self._holding(i, rules))
        new = [c for c in holding if c.texts["action"] not in actions]
        other = [c for c in holding if (c.texts["action"], c.texts["reason"]) not in pairs]
        for candidates in ([c for c in new if c.texts["reason"] not in said], new, other):
            if candidates:
                return candidates[0]
        if not holding:
            return None
        last, n = holding[-1], self.formats.people(self.described.profiles.segments[i].n)
        reason = f"{last.texts['reason']} Here that is {n} {self.study.customers} ({self.described.names[i]})."
        return replace(last, texts={**last.texts, "reason": reason})

    def _holding(self, i: int, rules: Sequence[tuple[int, Play]]) -> Iterator[_Chosen]:
        values, texts = self.facts[i].values(), self.printed[i]
        for line, play in rules:
            rule = parse(play.when)
            needed = [name for field in ("action", "reason") for name in QUOTE.findall(getattr(play, field))]
            if any(name not in values for name in rule.names) or any(name not in texts for name in needed):
                continue
            if compute(rule, values, line):
                yield _Chosen(line, play, {field: _quote(getattr(play, field), texts) for field in PROSE})

    def _fill(self, i: int, chosen: _Chosen) -> Slot:
        play, texts, values = chosen.play, chosen.texts, self.facts[i].values()
        low, high, prize, of = self._prize(i, chosen)
        read = dict.fromkeys(parse(play.when).names)
        design, kpi = self._design(i, chosen), texts["measure"]
        if design and play.test == "reorder":
            # Where nearly all order within three months, a shorter time is tested.
            kpi = kpi.replace("within three months", design.kpi.removeprefix("share who order "))
        return Slot(
            slot=play.slot,
            action=texts["action"],
            why=texts["reason"],
            channel=texts["channel"] or self._channel(i, play.slot),
            moment=texts["moment"] or self._moment(i, play.slot),
            message=texts["say"],
            subject=texts["subject"],
            leave_out=texts["leave_out"] or LEAVE_OUT[play.slot],
            avoid=texts["avoid"],
            kpi=kpi,
            effort=play.effort,
            prize_low=low,
            prize_high=high,
            prize=prize,
            prize_shares=play.prize if of else None,
            prize_of=of,
            assuming=play.assuming if of else "",
            design=design,
            rule=play.when,
            line=chosen.line,
            values=tuple((name, f"{values[name]:.3g}") for name in read),
            reads=self._variables(i, play),
        )

    def _variables(self, i: int, play: Play) -> tuple[str, ...]:
        """The variables that decide whether a rule holds: those of its roles, and those that it names itself."""
        traits = self.facts[i].traits
        return tuple(dict.fromkeys(traits[each].name if each in traits else each for each in sorted(play.reads())))

    def _prize(self, i: int, chosen: _Chosen) -> tuple[float | None, float | None, str, str]:
        """The range of what the action may bring, to two digits, in a sentence with its assumption, and what it is of.

        The last is empty where the assumption is no share of the value.
        """
        facts, play, study = self.facts[i], chosen.play, self.study
        total, unit = facts.numbers.get("value.total", (0.0, "number"))
        variable = next((t.variable for t in self.described.traits if t.name == study.value), None)
        if variable is None or total <= 0:
            return None, None, "", ""
        of = study.period or f"of {in_sentence(variable.label)}"
        if play.stake:
            formula = parse(play.stake)
            if any(name not in facts.numbers for name in formula.names):
                return None, None, "", ""
            worth = compute(formula, facts.values(), chosen.line)
            if not np.isfinite(worth) or worth <= 0:
                return None, None, "", ""
            worth = float(f"{worth:.2g}")
            text = f"Worth about {self.formats.value(worth, unit)} {of}, assuming that {play.assuming}."
            return worth, worth, text, ""
        if play.prize is None:
            return None, None, "", ""
        low, high = (float(f"{part * total:.2g}") for part in play.prize)
        shares = [short_percentage(part) for part in play.prize]
        share = shares[0] if shares[0] == shares[1] else f"{shares[0]} to {shares[1]}"
        return low, high, f"Worth {self.formats.interval(low, high, unit)} {of} if {share} {play.assuming}.", of

    def _channel(self, i: int, slot: SlotName) -> str:
        """The largest channel; for a message, the largest that reaches a person."""
        facts = self.facts[i]
        if facts.channels:
            shares = {channel: facts.numbers.get(f"channel.{channel.key}", (0.0, ""))[0] for channel in facts.channels}
            direct = [c for c in facts.channels if c.is_direct and shares[c] >= LEAST_CHANNEL]
            return (direct[0] if slot in DIRECT and direct else facts.channels[0]).contact
        holds = {name for name, (value, _) in facts.numbers.items() if name.startswith("study.") and value}
        if "study.survey" in holds:
            return "Advertising and the place of sale; the survey holds no address"
        if "study.visits" in holds:
            return "On the site, during the visit"
        if "study.business" in holds:
            return "Their account manager"
        if facts.numbers.get("newsletter.share", (0.0, ""))[0] >= 0.5:
            return "E-mail"
        if "study.subscription" in holds:
            return "The app or site where they use it"
        return "The channel they agreed to; the data name none"

    def _moment(self, i: int, slot: SlotName) -> str:
        texts, facts = self.printed[i], self.facts[i]
        in_store = bool(facts.channels) and facts.channels[0].key == "store"
        if "gap" in texts:
            moments: dict[SlotName, str] = {
                "campaign": f"{texts['gap'].capitalize()} after their last order{self._busiest(i)}",
                "recommendation": "While they shop" if in_store else "With the order confirmation",
                "service": "From their next order on",
                "product": "In a trial of one quarter",
                "retention": f"When no order comes for {texts['wait']}, twice their usual gap",
            }
            return moments[slot]
        orders = facts.numbers.get("study.orders", (0.0, ""))[0] > 0
        plain: dict[SlotName, str] = {
            "campaign": f"Once in the next quarter{self._busiest(i)}",
            "recommendation": "At the till"
            if in_store
            else "With the order confirmation"
            if orders
            else "At the next contact",
            "service": "From the next contact on",
            "product": "In a trial of one quarter",
            "retention": "As soon as they fall silent",
        }
        return plain[slot]

    def _busiest(self, i: int) -> str:
        """The weekday, part of the day and month in which they buy most, with the share of the first."""
        times = self.described.times[i] if self.described.times else ()
        said = [f", {time.in_words()}" for time in times]
        if times:
            here, everyone = self.formats.percent(times[0].share), self.formats.percent(times[0].everyone)
            said.insert(1, f" ({here} of their purchase days; {everyone} for everyone)")
        return "".join(said)

    def _design(self, i: int, chosen: _Chosen) -> Design | None:
        play, segment = chosen.play, self.described.profiles.segments[i]
        baseline = self.baselines.find(i, play, chosen.line)
        if baseline is None or baseline.n < 2:
            return None
        j = self._most_alike(i)
        pool, amount = None, None
        if j is not None and baseline.rate is not None:
            other = self.baselines.find(j, play, chosen.line)
            if other is not None and other.rate is not None and other.assumed == baseline.assumed:
                n = baseline.n + other.n
                rate = round_rate((baseline.rate * baseline.n + other.rate * other.n) / n)
                pool = Pool(self.described.names[j], other.n, rate)
        basket, worth = self.facts[i].traits.get("basket"), None
        if baseline.source == NEARLY and basket is None:
            worth = next((t for t in self.described.traits if t.name == self.study.value), None)
        if (compared := basket or worth) is not None:
            values, own = self.frame[compared.name].to_numpy(float), self.weights
            rows = np.isfinite(values) & (self.labels == segment.id)
            values, own = values[rows], None if own is None else own[rows]
            if len(values) >= self.study.min_cell:
                label = "average order value" if basket else in_sentence(compared.label)
                mean, deviation = (float(measure(values[:, None], own)[0]) for measure in (means, deviations))
                amount = Amount(label, len(values), mean, deviation)
        kpi = KPIS.get(play.test)
        label = kpi.label if kpi else play.rate_of or chosen.texts["measure"]
        if play.test in ATTITUDES:
            label = f"share who say \N{LEFT DOUBLE QUOTATION MARK}{self.facts[i].traits[play.test].label}"
            label += "\N{RIGHT DOUBLE QUOTATION MARK}"
        lead = f"{'Show it to' if play.test == 'conversion' else VERBS[play.slot]}{PICKED}"
        if self.facts[i].numbers["study.survey"][0]:
            lead = ASKED if play.test in ATTITUDES else UNKNOWN
        weeks = kpi.weeks if kpi else 6
        if play.test == "reorder":
            _, period, weeks = WINDOWS[baseline.window]
            label = f"share who order within {period}"
        return design_test(label, weeks, baseline, lead, pool, amount)

    def _most_alike(self, i: int) -> int | None:
        """The segment whose forming features are nearest."""
        segments = self.described.profiles.segments
        forming = {t.name for t in self.described.traits if t.variable.role == "feature"}
        ranked = rank_neighbours(segments[i], segments, forming)
        return ranked[0] - 1 if ranked else None


def _quote(text: str, texts: Mapping[str, str]) -> str:
    """Fill in a text; empty where it quotes what the study does not have."""
    if any(name not in texts for name in QUOTE.findall(text)):
        return ""
    filled = QUOTE.sub(lambda match: texts[match[1]], text)
    return f"{filled[:1].upper()}{filled[1:]}"
