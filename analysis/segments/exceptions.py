"""Exceptions from a portrait: which members of a segment it does not describe."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.base.formats import Formats, in_sentence, is_plural
from analysis.features.build import NOT_KNOWN
from analysis.profiles.profile import Difference, SegmentProfile
from analysis.profiles.themes import Trait
from analysis.segments.phrases import Phrases, answer, capital, counted, in_people, singular, where
from analysis.settings.models import Study

MOST_TAILS, MOST_LINES = 3, 5
"""Most exceptions by a tenth at the other end, and most in all. Chosen for this project."""
LEAST, MOST = 0.1, 0.4
"""Least and most share of members with the other answer that is an exception. Thresholds chosen for this project."""


def list_exceptions(
    segment: SegmentProfile, marks: Sequence[Difference], traits: Sequence[Trait], study: Study, formats: Formats
) -> tuple[str, ...]:
    """List exceptions: a tenth at the other end of each marker, and the rarer answer of yes or no.

    Parameters
    ----------
    segment : SegmentProfile
    marks : sequence of Difference
        What sets the segment apart, the strongest first.
    traits : sequence of Trait
    study : Study
    formats : Formats
    """
    by_name = {trait.name: trait for trait in traits}
    tails = (
        _say_tail(segment, m, by_name[m.variable], study, formats) for m in marks if m.marker and m.variable in by_name
    )
    lines = [line for line in tails if line][:MOST_TAILS]
    said = set[str]()
    for difference in segment.differences:
        trait = by_name.get(difference.variable)
        if trait is None or trait.name.endswith(NOT_KNOWN) or not segment.is_typical(difference.summary):
            continue
        about = trait.name if trait.meaning in {"opinion", "other"} else trait.meaning
        if trait.variable.unit == "yes_no" and trait.variable.role != "outcome" and about not in said:
            line = _say_minority(trait, difference.summary.mean, study)
            if line:
                said.add(about)
                lines.append(line)
    return tuple(lines[:MOST_LINES])


def _say_tail(segment: SegmentProfile, mark: Difference, trait: Trait, study: Study, formats: Formats) -> str:
    """Say where a tenth of the members is that lies at the other end of a marker; empty where that is the middle."""
    own, unit = mark.summary, trait.variable.unit
    fewer = "fewer" if unit in {"count", "number"} and is_plural(trait.label) else "less"
    edge, word = (own.p10, fewer) if mark.direction > 0 else (own.p90, "more")
    # An end that is the middle as well tells of most of them, not of those for whom the picture fails.
    if not mark.direction or unit == "yes_no" or edge == own.median or not segment.is_typical(own):
        return ""
    phrases = Phrases(trait, study)
    figure = phrases.figure(edge, formats)
    amount = f"{figure} or {word}" if edge else figure
    few = segment.n - own.n >= formats.min_cell
    among = f" of the {formats.people(own.n)} with a value" if few else ""
    return f"One in ten{among} {_do(phrases, amount)}."


def _do(phrases: Phrases, amount: str) -> str:
    """Continue "One in ten" with an amount of the trait."""
    trait, label = phrases.trait, phrases.label
    meaning, unit = trait.meaning, trait.variable.unit
    if meaning == "frequency" and label.casefold() in {"orders", "purchases"}:
        return f"places {counted(amount, label.casefold())}"
    if meaning == "part" and unit == "share":
        if amount.startswith("0%"):
            return f"{'orders' if trait.whole == 'orders' else 'spends'} nothing {where(trait.link, trait.part)}"
        verb, whole = ("places", "their orders") if trait.whole == "orders" else ("spends", "their money")
        return f"{verb} {amount} of {whole} {where(trait.link, trait.part)}"
    if meaning == "discount" and label.casefold().startswith("share of orders"):
        return f"uses a discount on {amount} of their orders"
    if meaning == "basket":
        return f"spends {amount} per order"
    if meaning == "spend" and unit == "money" and trait.name == phrases.study.value:
        return f"spends {amount} {phrases.study.period}".rstrip()
    if meaning == "tenure" and any(c.isalpha() for c in amount.split()[1]):
        return f"has been a {singular(phrases.study.customers)} for {amount}"
    if meaning == "recency" and unit == "days":
        figure, _, word = amount.rpartition(" or ")
        return f"ordered within the last {figure}" if word == "less" else f"has not ordered for {amount}"
    if meaning == "breadth" and "product" in label.casefold():
        return f"uses {amount.replace(' less', ' fewer')} products"
    if unit == "number" and is_plural(label):
        return f"has {amount} “{label}”"
    if unit == "count" and is_plural(label):
        return f"has {counted(amount, in_sentence(label))}"
    return f"is at {amount} in “{label}”"


def _say_minority(trait: Trait, share: float, study: Study) -> str:
    """Say how many answer otherwise; empty where those are hardly any."""
    if not LEAST <= min(share, 1 - share) <= MOST:
        return ""
    phrases, people = Phrases(trait, study), in_people(min(share, 1 - share))
    one = people.startswith("one in")
    says_yes = share < 0.5
    if trait.meaning == "opinion":
        not_said = "" if says_yes else ("does not " if one else "do not ")
        verb = "says" if one and says_yes else "say"
        return f"{capital(people)} {not_said}{verb} “{answer(phrases.label)}”."
    verb = phrases.verb(plural=not one)
    if verb and says_yes:
        return f"{capital(people)} {verb}."
    if verb.startswith(("is ", "are ")):
        return f"{capital(people)} {'is' if one else 'are'} not {verb.partition(' ')[2]}."
    if verb:
        return f"{capital(people)} {'does' if one else 'do'} not {phrases.infinitive()}."
    applies = "applies" if says_yes else "does not apply"
    return f"“{phrases.label}” {applies} to {people} of them."
