"""The segmentation card: purpose, limits, fairness check and last day of use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.base.disclosure import Disclosure
from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.formats import Formats, in_sentence, in_words, joined, number
from analysis.base.run import USERS, Effort
from analysis.base.weights import Weights
from analysis.clustering.algorithms import Labels
from analysis.clustering.lint import Finding
from analysis.customers.cleaning import Cleaned
from analysis.features.build import FeatureTable
from analysis.features.prepare import Prepared
from analysis.features.select import MOST_RANKED
from analysis.profiles.contrasts import Contrast, associate_groups, associate_numbers, count_levels
from analysis.profiles.profile import Profiles
from analysis.segments.personas import Persona
from analysis.settings.models import Study
from analysis.settings.sources import ROW_KINDS, Source
from analysis.sources.inference import PROTECTED
from analysis.sources.names import split_words

REVEALS, HINTS = 0.3, 0.1
"""Cramér's V, or root of epsilon squared, from which a segment reveals a descriptor, and from which it hints at it.
Chosen for this project."""
EVEN = 0.8
"""An action is even where the group it reaches least is reached this often as the one it reaches most. Chosen for this
project."""
VALID_MONTHS = 12
"""How long after the study's date a card holds where the settings do not say. Chosen for this project."""
NO_PURPOSE = "Not stated by the analyst. Without a purpose nobody can say whether these segments serve it."
NO_OWNER = "Not named."


@dataclass(frozen=True, slots=True)
class Reach:
    """Actions that the same segments get, each with its effort, and the ``shares`` of each group that is in them."""

    segments: str
    actions: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Relation of a segment to a protected attribute.

    Attributes
    ----------
    name, label : str
    guessed : str
        What one would guess, in words.
    measure : str
        Of the strength, as in `Association` of :mod:`analysis.profiles.contrasts`.
    strength : float, optional
        0 to 1, as in the tests of descriptors. None where a group is too small to tell.
    base, hit : float
        Share guessed right without and with knowledge of the segment.
    sentence : str
    groups : tuple of str
        The levels, or both sides of the median.
    uneven : tuple of Reach
        Actions that reach the groups unlike; all others reach them alike.
    """

    name: str
    label: str
    guessed: str
    measure: str
    strength: float | None
    base: float
    hit: float
    sentence: str
    groups: tuple[str, ...]
    uneven: tuple[Reach, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """The card; dates as ISO text, empty where there is none.

    ``reading`` lists segment, action and descriptors of each action whose rule reads a protected descriptor;
    ``forming`` holds the labels of protected descriptors that form segments; ``dated`` and ``chosen`` say whether the
    settings name the last day and the protected.
    """

    purpose: str
    owner: str
    valid_until: str
    dated: bool
    oldest: str
    newest: str
    n_read: int
    n_excluded: int
    limits: tuple[str, ...]
    chosen: bool
    protected: tuple[Descriptor, ...]
    forming: tuple[str, ...]
    reading: tuple[tuple[str, str, str], ...]


def find_protected(study: Study, source: Source, cleaned: Cleaned, table: FeatureTable) -> dict[str, str]:
    """Return names and labels of the protected attributes.

    Those that the settings name and what is computed of them; else those named as age, sex and family are.

    Raises
    ------
    InputError
        For a name in the settings that is neither a variable nor a column.
    """
    columns = list(map(str, cleaned.frame.columns))
    known = list(dict.fromkeys([*(v.name for v in table.variables), *columns]))
    named = study.card.protected
    for name in named or ():
        if name not in known:
            raise InputError(
                f"_quarto.yml, segmentation.card.protected: '{name}' is neither a feature nor a column.",
                f"Available: {listed(known)}.",
                did_you_mean(name, known) or "Correct the name.",
            )

    def meant(name: str) -> bool:
        return name in named if named is not None else bool(PROTECTED & {word.lower() for word in split_words(name)})

    protected = {v.name: v.label for v in table.variables if meant(v.name) or any(meant(c) for c in v.columns)}
    bare = [name for name in columns if meant(name) and name not in protected and name != source.key]
    if named is None:
        # A column of which a variable is made is told by that variable.
        bare = [name for name in bare if not any(name in v.columns for v in table.variables)]
    return protected | {name: source.labels.get(name, name) for name in bare}


@dataclass(frozen=True, slots=True)
class Background:
    """What the card states beside the segments themselves.

    Attributes
    ----------
    protected : dict of str to str
        From :func:`find_protected`.
    months : tuple of (str, str)
        First and last month of each source; empty where it has no date.
    findings : tuple of Finding
    synthetic : bool
    effort : Effort
    n_all : int
        All customers, where those in memory are a sample of them; else 0.
    """

    protected: dict[str, str]
    months: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    synthetic: bool = False
    effort: Effort = USERS
    n_all: int = 0


def write_card(
    study: Study,
    cleaned: Cleaned,
    table: FeatureTable,
    prepared: Prepared,
    labels: Labels,
    profiles: Profiles,
    personas: Sequence[Persona],
    background: Background,
) -> Card:
    """Write the card from the run.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        1..k, 0 = unassigned.
    background : Background
    """
    protected = background.protected
    formats = Formats(study.currency, study.customers, study.min_cell)
    until = study.card.valid_until
    if until is None and cleaned.as_of:
        until = (pd.Timestamp(cleaned.as_of) + pd.DateOffset(months=VALID_MONTHS)).date()
    dated = [span for span in background.months if span[0]]
    forming = {step.name for step in prepared.steps}
    checked = tuple(
        _check(name, label, table, cleaned, labels, personas, study, profiles.contrasts)
        for name, label in protected.items()
    )
    n_read = cleaned.ledger[0].rows_in if cleaned.ledger else len(table.frame)
    n_beside = max(background.n_all - len(table.frame), 0)
    return Card(
        study.card.purpose or NO_PURPOSE,
        study.card.owner or NO_OWNER,
        until.isoformat() if until else "",
        study.card.valid_until is not None,
        min((first for first, _ in dated), default=""),
        max((last for _, last in dated), default=""),
        n_read + n_beside,
        n_read - len(table.frame),
        tuple(_limits(study, cleaned, table, prepared, profiles, background, formats)),
        study.card.protected is not None,
        checked,
        tuple(label for name, label in protected.items() if name in forming),
        tuple(
            (f"{persona.letter}, {persona.name}", slot.action, joined([protected[name] for name in read]))
            for persona in personas
            for slot in persona.plan
            if slot.rule and (read := [name for name in protected if name in slot.reads])
        ),
    )


def _check(
    name: str,
    label: str,
    table: FeatureTable,
    cleaned: Cleaned,
    labels: Labels,
    personas: Sequence[Persona],
    study: Study,
    contrasts: Sequence[Contrast],
) -> Descriptor:
    formats = Formats(study.currency, study.customers, study.min_cell)
    variable = next((v for v in table.variables if v.name == name), None)
    values = table.frame[name] if variable else cleaned.frame[name]
    number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    dated = pd.api.types.is_datetime64_any_dtype(values)
    values = values.dt.year.astype(float) if dated else values
    two = bool(values.dropna().nunique() <= 2) if number else False
    known = values.notna().to_numpy()
    known_values, inside, own = values[known], labels[known], None if table.weights is None else table.weights[known]
    ranked = (number or dated) and not two
    if ranked:
        unit = "year" if dated else variable.unit if variable else "number"
        levels, word = _halve(known_values, formats.value(float(known_values.median()), unit))
        guessed = f"whether it is {word}"
    elif two and (variable is None or variable.unit == "yes_no"):
        levels, guessed = (known_values > known_values.min()).map({True: "yes", False: "no"}), "yes or no"
    else:
        levels, guessed = known_values.astype(str), ""
    order = variable.order if variable and not guessed else ()
    groups, counts = _count(levels, inside, int(labels.max()), study.min_cell, order, own)
    if len(groups) < 2:
        few = f"{label}: too few {study.customers} in a group to tell it by segment."
        return Descriptor(name, label, guessed or "–", "", None, 0.0, 0.0, few, (), ())
    tested = next((c for c in contrasts if c.variable == name), None) or (
        associate_numbers(known_values, inside, own) if ranked else associate_groups(np.arange(counts.shape[1]), counts)
    )
    measure, strength = (tested.measure, tested.effect) if tested else ("ε²" if ranked else "V", 0.0)
    base, hit = (float(part / counts.sum()) for part in (counts.sum(axis=1).max(), counts.max(axis=0).sum()))
    word = _say_strength(measure, strength)
    right = formats.percent(hit), formats.percent(base)
    sentence = (
        f"a guess from it is right for {right[0]} of {study.customers}, without it for {right[1]}"
        if right[0] != right[1]
        else "the best guess is the same with it and without"
    )
    uneven = tuple(r for r in _reach(counts, personas) if min(r.shares) < EVEN * max(r.shares))
    return Descriptor(
        name,
        label,
        guessed or f"which of {in_words(len(groups))} groups",
        measure,
        strength,
        base,
        hit,
        f"{label}: the segment {word}; {sentence}.",
        groups,
        uneven,
    )


def _halve(values: pd.Series, middle: str) -> tuple[pd.Series, str]:
    """Cut numbers at their median, which ``middle`` names: the answers in words, and those of the upper half."""
    above, words = values > values.median(), (f"more than {middle}", f"{middle} or less")
    if (values >= values.median()).mean() < 1 - above.mean():
        # Of the two ways to cut at the median, the one that halves better.
        above, words = values >= values.median(), (f"{middle} or more", f"less than {middle}")
    return above.map({True: words[0], False: words[1]}), words[0]


def _say_strength(measure: str, strength: float) -> str:
    root = strength**0.5 if measure == "ε²" else strength
    return "reveals it" if root >= REVEALS else "hints at it" if root >= HINTS else "hardly tells it"


def _count(
    levels: pd.Series, labels: Labels, k: int, min_cell: int, order: Sequence[str], weights: Weights
) -> tuple[tuple[str, ...], NDArray[Any]]:
    """Customers by group and segment (0 to k), merged as on every other page, so that none can be taken off."""
    counted = count_levels(levels, labels, min_cell, order, weights=weights)
    if counted is None:
        return (), np.zeros((0, k + 1), dtype=np.int64)
    counts = np.zeros((len(counted.levels), k + 1), dtype=counted.weighed.dtype)
    counts[:, counted.columns] = counted.weighed
    return tuple("other" if group == "Other" else group for group in counted.levels), counts


def _reach(counts: NDArray[Any], personas: Sequence[Persona]) -> list[Reach]:
    """For each action the share of every group that is in a segment which gets it."""
    gets: dict[str, list[int]] = {}
    for i, persona in enumerate(personas, start=1):
        for slot in persona.plan:
            if slot.action:
                gets.setdefault(f"{slot.action.removesuffix('.')} ({slot.effort} effort)", []).append(i)
    together: dict[tuple[int, ...], list[str]] = {}
    for action, segments in gets.items():
        together.setdefault(tuple(segments), []).append(action)
    return [
        Reach(
            joined([personas[i - 1].letter for i in segments]),
            tuple(actions),
            tuple(map(float, counts[:, list(segments)].sum(axis=1) / counts.sum(axis=1))),
        )
        for segments, actions in together.items()
    ]


def _limits_of_sample(n: int, n_all: int, study: Study) -> list[str]:
    """What follows from a sample of n of all customers; nothing where all are held."""
    held, everyone = (number(Disclosure.of(study).count(each)) for each in (n, n_all))
    line = (
        f"They were found in a random {held} of {everyone} {study.customers}. Everyone was placed by their rule and "
        "counted; medians, ranges and answers are those of the sample."
    )
    return [line] if n_all > n else []


def _limits(
    study: Study,
    cleaned: Cleaned,
    table: FeatureTable,
    prepared: Prepared,
    profiles: Profiles,
    background: Background,
    formats: Formats,
) -> list[str]:
    """What the segments cannot say, from what the run did."""
    n, people, rules = len(table.frame), study.customers, Disclosure.of(study)
    some = f"{people} who were looked at" if background.n_all > n else people
    names = [step.name for step in prepared.steps]
    lines = [
        f"The segments exist in the {in_words(len(names))} features that form them; other features make other ones.",
        *_limits_of_sample(n, background.n_all, study),
    ]
    if background.synthetic:
        lines.append("The data are synthetic: nothing here is true of real people.")
    kinds = {source.kind for source in study.sources}
    if not kinds & ROW_KINDS:
        when = f" of {formats.date(cleaned.as_of.isoformat())}" if cleaned.as_of else ""
        lines.append(f"The data are one picture{when}: whether {people} stay in their segment is not known from them.")
    if "survey" in kinds:
        lines.append(
            "Survey answers are what people said in one wave; they are neither what they do nor what they think later."
        )
    filled = int(table.frame[names].isna().any(axis=1).sum())
    if filled:
        share = f" ({formats.percent(filled / n)})" if filled >= study.min_cell else ""
        done = "took no part in forming them" if study.missing == "exclude" else "had it filled in"
        whose = f"{formats.people(rules.count(filled))} {some}{share}"
        lines.append(f"{whose} lack a value in a feature that forms segments and {done}.")
    aside = n - int(prepared.core.sum())
    if aside:
        whose = f"{formats.people(rules.count(aside))} {some}"
        lines.append(f"{whose} took no part in forming the segments and were assigned afterwards.")
    if profiles.unassigned:
        lines.append(f"{formats.people(profiles.unassigned)} {people} belong to no segment.")
    parts = [
        f"{what} on {formats.plain(rows)}"
        for what, rows in (
            ("silhouettes were measured", background.effort.silhouette_rows),
            ("resampled solutions were compared", background.effort.judged_rows),
            ("near-copies were judged", MOST_RANKED),
        )
        if n > rows
    ]
    if n > background.effort.whole_rows:
        parts.insert(0, f"the segments were formed and judged on {formats.plain(background.effort.evidence_rows)}")
    if parts:
        lines.append(f"Parts rest on random samples of {people}: {joined(parts)}.")
    if any(v.name == "clv" for v in table.variables):
        lines.append("Lifetime value is what two models expect, not what was observed.")
    if profiles.hidden:
        hidden = joined([v.label for v in table.variables if v.name in profiles.hidden])
        lines.append(f"Not shown by segment, because too few {people} stand behind it: {hidden}.")
    serious = (finding.title for finding in background.findings if finding.severity == "serious")
    lines += [f"Found in the recipe, and serious: {in_sentence(title)}." for title in serious]
    return [line[:1].upper() + line[1:] for line in lines]
