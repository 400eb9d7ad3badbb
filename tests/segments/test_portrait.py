"""Portraits: every sentence's claims hold on the data, whatever the data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.base.disclosure import Disclosure
from analysis.base.formats import Formats
from analysis.clustering.algorithms import Labels
from analysis.features.build import FeatureTable, Variable
from analysis.profiles.mixes import Mix, find_mixes
from analysis.profiles.profile import profile_segments
from analysis.profiles.themes import read_traits
from analysis.segments.claims import Claim, Portrait, Sentence
from analysis.segments.facts import ALIKE
from analysis.segments.phrases import HARDLY_ANY, NEARLY_ALL, in_people
from analysis.segments.portrait import write_portraits
from analysis.settings.models import Study, VariableWords
from tests.kinds import KINDS, load_kind
from tests.refits import as_they_are, same_segments
from tests.stages import project_study, run_stages

UNITS = {"orders": "count", "order_value": "money", "wine": "share", "meat": "share", "rest": "share"}
LABELS = {
    "orders": "Orders",
    "order_value": "Average order value",
    "wine": "Share of spend on wine",
    "meat": "Share of spend on meat",
    "rest": "Share of spend on BBQ",
    "yes": "Has a card",
    "age": "Age",
    "town": "Town",
    "odd": "Anz. Q7_r3",
}


def variable(name: str, unit: str, role: str = "feature") -> Variable:
    return Variable(
        name, LABELS[name], unit, role, name, (name,), "", "", "", "none", unit == "category"  # type: ignore[arg-type]
    )  # fmt: skip


def sentences(portrait: Portrait) -> Iterator[Sentence]:
    yield portrait.lead
    for paragraph in portrait.paragraphs:
        yield from paragraph.sentences
    if portrait.contrast:
        yield portrait.contrast


def most_rounded(values: pd.Series) -> float:
    """Half of the largest step that a published median has: twice the range of the values around it, rounded up."""
    middle = len(values) // 2
    around = values.sort_values().iloc[max(middle - 3, 0) : middle + 3]
    return float(2 * (around.max() - around.min()) * 2.5 / 2)


def check(
    claim: Claim,
    frame: pd.DataFrame,
    labels: Labels,
    segment: int,
    mixes: tuple[Mix, ...],
    order: Sequence[str] | None = None,
) -> bool:
    """Check a claim on the data, by other code than wrote it.

    With the answers of the variable in their order, figures are as they are published: rounded to what one customer
    cannot move.
    """
    published = order is not None
    close = partial(np.isclose, rtol=0.1, atol=0.03) if published else np.isclose
    values = frame[claim.variable]
    if claim.kind == "level":
        # Small levels are merged: "East or West".
        levels = claim.level.split(" or ")
        first, _, last = claim.level.partition(" to ")
        if order and {first, last} <= set(order):
            levels = list(order)[order.index(first) : order.index(last) + 1]
        return bool(np.isclose(values[labels == segment].dropna().isin(levels).mean(), claim.value or 0, atol=0.02))
    own, rest = values[labels == segment].dropna(), values.dropna()
    means = values.groupby(labels).mean()
    means = means[means.index > 0]
    if claim.kind in {"higher", "lower"}:
        return (own.mean() > rest.mean()) == (claim.kind == "higher")
    if claim.kind in {"above", "below"}:
        return (own.mean() > means[claim.against]) == (claim.kind == "above")
    if claim.kind in {"highest", "lowest"}:
        return means[segment] == (means.max() if claim.kind == "highest" else means.min())
    if claim.kind == "alike":
        most, deviation = (
            ALIKE + 0.05 * published,
            max(rest.std(ddof=0), (rest.quantile(0.9) - rest.quantile(0.1)) / 2.56),
        )
        return abs(own.mean() - rest.mean()) <= most * max(deviation, 1e-12) + 1e-12
    if claim.kind in {"median", "mean"}:
        mine, all_ = (own.median(), rest.median()) if claim.kind == "median" else (own.mean(), rest.mean())
        if not (published and claim.kind == "median"):
            return bool(close(mine, claim.value or 0) and close(all_, claim.everyone or 0))
        return all(
            close(true, told or 0, atol=max(0.51 * (all_ >= 0.5), 0.03, most_rounded(values)))
            for true, told, values in ((mine, claim.value, own), (all_, claim.everyone, rest))
        )
    if claim.kind == "share":
        return bool(close((own > 0).mean(), claim.value or 0))
    if claim.kind == "main":
        mix = next(mix for mix in mixes if claim.variable in {p.variable for p in mix.parts})
        names = [p.variable for p in mix.parts if p.variable]
        shares = frame.loc[labels == segment, names].dropna()
        shares["rest"] = 1 - shares.sum(axis=1)
        others = shares.drop(columns=claim.variable).max(axis=1)
        return bool(np.isclose((shares[claim.variable] > others + 1e-9).mean(), claim.value or 0))
    part = next(p for mix in mixes for p in mix.parts if p.variable == claim.variable)
    others = [p.share for mix in mixes for p in mix.parts if part in mix.parts]
    return {
        "part": bool(close(part.share, claim.value or 0)),
        "largest": part.share == max(others),
        "majority": part.share > 0.5,
    }[claim.kind]


def portraits_of(table: FeatureTable, labels: Labels, study: Study) -> list[tuple[Portrait, tuple[Mix, ...]]]:
    study = study.model_copy(update={"disclosure": "internal"})
    forming = tuple(v for v in table.variables if v.role == "feature" and not v.categorical)
    matrix = table.frame[[v.name for v in forming]].fillna(0).to_numpy(float)
    profiles = profile_segments(table, labels, matrix, as_they_are(table, forming), study, same_segments(labels))
    traits = read_traits(table.variables, study)
    mixes = find_mixes(table, labels, traits, Disclosure.of(study))
    names = [f"Name {i}" for i in range(len(profiles.segments))]
    formats = Formats("", study.customers, study.min_cell)
    return list(zip(write_portraits(profiles, traits, mixes, names, study, formats), mixes, strict=True))


def random_table(seed: int, n: int, spread: float) -> FeatureTable:
    """Make customers whose differences, ties and missing values depend on the seed."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet((1.0, 0.5, 0.2), n) if seed % 3 else np.tile([1.0, 0.0, 0.0], (n, 1))
    group = np.arange(n) % 3
    frame = pd.DataFrame(
        {
            "orders": np.round(np.abs(5 + spread * group + rng.standard_normal(n) * (seed % 2))),
            "order_value": np.where(rng.random(n) < 0.1, np.nan, np.abs(30 - spread * group + rng.normal(0, 3, n))),
            "wine": shares[:, 0],
            "meat": shares[:, 1],
            "rest": shares[:, 2],
            "yes": (rng.random(n) < (0.0, 0.5, 1.0)[seed % 3]).astype(float),
            "odd": np.full(n, 3.0) if seed % 5 == 0 else rng.normal(0, 1, n) * 10 ** (seed % 7),
            "age": np.round(rng.normal(40 + spread * group, 5, n)),
            "town": np.array(["A&E", "BBQ", "SUV"])[group if seed % 2 else rng.integers(0, 3, n)],
        }
    )
    made = tuple(
        [variable(name, unit) for name, unit in UNITS.items()]
        + [variable("yes", "yes_no", "descriptor"), variable("odd", "number"), variable("age", "years", "descriptor")]
        + [variable("town", "category", "descriptor")]
    )
    return FeatureTable(frame, made)


@pytest.mark.slow
@settings(deadline=None, max_examples=40, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 10_000), st.sampled_from([90, 150]), st.floats(0, 6), st.integers(1, 4))
def test_every_claim_holds_on_any_data(seed: int, n: int, spread: float, k: int) -> None:
    table = random_table(seed, n, spread)
    labels = np.arange(n) % k + 1
    study = project_study().model_copy(update={"value": None, "names": {}, "variables": {}})
    for segment, (portrait, mixes) in enumerate(portraits_of(table, labels, study), start=1):
        for sentence in sentences(portrait):
            assert all(check(claim, table.frame, labels, segment, mixes) for claim in sentence.claims), sentence
            assert not re.search(r"\b(nan|None|inf)\b|  |\{|\}", sentence.text), sentence
            assert sentence.text[0].isupper() or not sentence.text[0].isalpha()
            assert sentence.text.endswith((".", "?")), sentence
        assert (k == 1) == (portrait.contrast is None and not portrait.nearest) or portrait.contrast is None


@pytest.mark.slow
def test_every_claim_of_the_twins_portraits_holds() -> None:
    stages = run_stages()
    frame, labels = stages.features.table.frame, stages.evidence.labels
    n_claims = 0
    for persona, segment in zip(stages.personas, stages.profiles.segments, strict=True):
        for sentence in sentences(persona.portrait):
            for claim in sentence.claims:
                assert check(claim, frame, labels, segment.id, persona.portrait.mixes), (sentence, claim)
                n_claims += 1
    assert n_claims > 10 * len(stages.personas)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_claim_of_every_kind_of_study_holds(kind: str) -> None:
    one = load_kind(kind)
    described = one.described()
    formats = Formats(one.study.currency, one.study.customers, one.study.min_cell)
    portraits = write_portraits(one.profiles, described.traits, described.mixes, described.names, one.study, formats)
    orders = {variable.name: tuple(variable.order) for variable in one.table.variables}
    n_sentences = n_checked = 0
    for segment, (portrait, mixes) in enumerate(zip(portraits, described.mixes, strict=True), start=1):
        for sentence in sentences(portrait):
            n_sentences += 1
            n_checked += bool(sentence.claims)
            for claim in sentence.claims:
                order = orders[claim.variable]
                assert check(claim, one.table.frame, one.labels, segment, mixes, order), (sentence, claim)
    assert n_checked >= n_sentences - 1 and len({portrait.lead.text for portrait in portraits}) == len(portraits)


def test_no_two_segments_have_the_same_lead() -> None:
    leads = [persona.portrait.lead.text for persona in run_stages().personas]
    assert len(set(leads)) == len(leads)


def test_a_portrait_has_few_numbers_before_its_paragraphs() -> None:
    for persona in run_stages().personas:
        facts = " ".join(f"{fact.figure} {fact.label}" for fact in persona.portrait.facts)
        assert len(re.findall(r"\d[\d,.]*", persona.portrait.lead.text)) <= 1
        assert len(re.findall(r"\d[\d,.]*", facts)) <= 5 and len(persona.portrait.facts) <= 4


def test_a_mix_sums_to_one_and_is_weighted_by_its_whole() -> None:
    stages = run_stages()
    frame, labels = stages.features.table.frame, stages.evidence.labels
    for persona, segment in zip(stages.personas, stages.profiles.segments, strict=True):
        assert {mix.theme for mix in persona.portrait.mixes} == {"channels", "products"}
        inside = frame[labels == segment.id]
        for mix in persona.portrait.mixes:
            assert sum(part.share for part in mix.parts) == pytest.approx(1)
            whole = inside["orders" if mix.theme == "channels" else "spend"]
            for part in mix.parts:
                pooled = (inside[part.variable] * whole).sum() / whole[inside[part.variable].notna()].sum()
                assert part.share == pytest.approx(pooled, abs=1e-6)


@given(st.floats(0, 1))
def test_a_share_in_words_is_close_to_the_share(share: float) -> None:
    words = in_people(share)
    numbers = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "seven": 7, "nine": 9, "ten": 10}
    if words in {"all", "nearly all"}:
        assert share >= NEARLY_ALL
    elif words in {"none", "hardly any"}:
        assert share <= HARDLY_ANY
    elif words == "about half":
        assert abs(share - 0.5) <= 0.05
    else:
        first, last = words.split(" in ")
        assert abs(numbers[first] / numbers[last] - share) <= 0.055


def test_a_phrase_of_the_settings_is_said_where_a_segment_is_like_everyone() -> None:
    table = random_table(2, 150, 0.0)
    labels = np.arange(150) % 2 + 1
    words = {
        "orders": VariableWords(typical="order as often as others"),
        "age": VariableWords(typical="are of any age"),
    }
    study = project_study().model_copy(update={"value": None, "names": {}, "variables": words})
    same = table.frame.assign(orders=np.tile([4.0, 4.0, 6.0, 6.0, 5.0, 5.0], 25), age=np.repeat(np.arange(75.0), 2))
    portraits = portraits_of(FeatureTable(same, table.variables), labels, study)
    for segment, (portrait, mixes) in enumerate(portraits, start=1):
        said = {s.text: s for s in sentences(portrait)}
        assert "They order as often as others." in said
        people = next(s for text, s in said.items() if "are of any age" in text)
        assert all(check(claim, same, labels, segment, mixes) for claim in people.claims)


def test_no_sentence_says_higher_or_lower_where_scale_and_original_units_disagree() -> None:
    rng, labels = np.random.default_rng(9), np.repeat([1, 2, 3], 60).astype(np.int16)
    income = replace(variable("odd", "money", "descriptor"), name="income", label="Income", transform="auto")
    values = rng.lognormal(np.array([0.0, 2.0, 2.8, 4.0])[labels], 0.4)
    study = project_study().model_copy(update={"value": None, "names": {}, "variables": {}})

    def comparisons(values: np.ndarray) -> set[tuple[int, str, int]]:
        table = random_table(1, 180, 3.0)
        table = FeatureTable(table.frame.assign(income=values), (*table.variables, income))
        return {
            (segment, claim.kind, claim.against)
            for segment, (portrait, mixes) in enumerate(portraits_of(table, labels, study), start=1)
            for sentence in sentences(portrait)
            for claim in sentence.claims
            if claim.variable == "income" and claim.kind not in {"median", "mean"}
        }

    assert {(1, "lowest", 0), (3, "highest", 0), (1, "below", 2), (3, "above", 2)} <= comparisons(values)
    values[5] = 1e7
    assert comparisons(values) == {(3, "above", 2)}


def test_of_spend_orders_and_their_value_two_are_said() -> None:
    for persona in run_stages().personas:
        for text in sentences(persona.portrait):
            told = {c.variable for c in text.claims} & {"spend", "orders", "order_value"}
            assert len(told) < 3
        buying = next(p for p in persona.portrait.paragraphs if p.theme == "buying")
        said = {c.variable for s in buying.sentences for c in s.claims} & {"spend", "orders", "order_value"}
        assert len(said) <= 2


def test_labels_of_any_shape_stand_in_quotation_marks_or_alone() -> None:
    table = random_table(1, 150, 5.0)
    labels = np.arange(150) % 3 + 1
    study = project_study().model_copy(update={"value": None, "names": {}, "variables": {}})
    texts = [s.text for portrait, _ in portraits_of(table, labels, study) for s in sentences(portrait)]
    assert not any("anz." in text or "bbq" in text or "a&e" in text for text in texts)


def test_a_mix_is_not_weighed_by_a_customer_who_dominates_it() -> None:
    table = random_table(1, 90, 2.0)
    spend = replace(variable("odd", "money"), name="spend", label="Spend", formula="spend", columns=("spend",))
    table = FeatureTable(table.frame.assign(spend=table.frame["orders"] * 10.0), (*table.variables, spend))
    labels = np.ones(90, np.int16)
    study = project_study().model_copy(update={"variables": {}})
    traits = read_traits(table.variables, study)
    table.frame.loc[7, ["spend", "wine", "meat", "rest"]] = 50_000.0, 0.05, 0.15, 0.8
    for disclosure, near in (("internal", True), ("public", False)):
        (mixes,) = find_mixes(table, labels, traits, Disclosure.of(study.model_copy(update={"disclosure": disclosure})))
        (mix,) = (mix for mix in mixes if mix.whole == "spend")
        rest = next(part.share for part in mix.parts if part.variable == "rest")
        assert mix.pooled == near and (abs(rest - 0.8) < 0.1) == near
