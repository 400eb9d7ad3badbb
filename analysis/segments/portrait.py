"""Portraits: short paragraphs about a segment, each sentence with the claims that make it true.

A sentence is written only where its claims hold after rounding; at the edges (ties, none, all, one segment, all
segments alike) it is left out. Tests verify every claim on the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.base.formats import Formats, is_plural, joined, rounded
from analysis.profiles.mixes import Mix, MixPart
from analysis.profiles.neighbours import rank_neighbours
from analysis.profiles.profile import CategoryProfile, Profiles, SegmentProfile
from analysis.profiles.themes import TITLES, Trait
from analysis.segments.claims import Claim, KeyFact, Paragraph, Portrait, Sentence
from analysis.segments.facts import CLEAR, POINTS, Fact, collect_facts, has_orders, is_news, strength, subject
from analysis.segments.phrases import NEARLY_ALL, answer, capital, in_people, of_all, where
from analysis.segments.plans.facts import SHORTEST_GAP, read_period, span
from analysis.settings.models import Study, Theme

HALF = 0.5
"""Least share of members whose largest channel is named. Threshold chosen for this project."""
MOST_SENTENCES = 3
"""Most sentences of a paragraph."""
CONTRASTS = 3
"""Most differences in the sentence about the nearest segment."""

GROUPS: tuple[tuple[Theme, str, tuple[Theme, ...]], ...] = (
    ("buying", "How they buy", ("buying", "rhythm", "price", "channels")),
    ("products", TITLES["products"], ("products",)),
    ("contact", TITLES["contact"], ("contact",)),
    ("people", TITLES["people"], ("people",)),
    ("opinions", TITLES["opinions"], ("opinions",)),
    ("other", TITLES["other"], ("other",)),
)
"""Paragraphs: icon, heading and the themes in each."""


def write_portraits(
    profiles: Profiles,
    traits: Sequence[Trait],
    mixes: Sequence[tuple[Mix, ...]],
    names: Sequence[str],
    study: Study,
    formats: Formats,
) -> tuple[Portrait, ...]:
    """Write the portrait of each segment.

    Parameters
    ----------
    profiles : Profiles
        k segments.
    traits : sequence of Trait
        In the order of the themes.
    mixes : sequence of tuple of Mix, length k
    names : sequence of str, length k
        Names of the segments, for the contrast.
    study : Study
        Uses ``customers``, ``period`` and ``value``.
    formats : Formats
    """
    return tuple(
        _Writer(segment, profiles, traits, mixes, names, study, formats).write() for segment in profiles.segments
    )


class _Writer:
    """Writes one segment's portrait."""

    def __init__(
        self,
        segment: SegmentProfile,
        profiles: Profiles,
        traits: Sequence[Trait],
        mixes: Sequence[tuple[Mix, ...]],
        names: Sequence[str],
        study: Study,
        formats: Formats,
    ) -> None:
        self.segment, self.profiles, self.names = segment, profiles, names
        self.study, self.formats = study, formats
        self.mixes = mixes[segment.id - 1]
        self.in_mixes = {part.variable for mix in self.mixes for part in mix.parts}
        self.facts = collect_facts(segment, profiles, traits, study)
        self.categories = {c.variable: c for c in profiles.categories}
        self.traits = traits
        self.asked = any(t.meaning == "opinion" and t.variable.role == "feature" for t in traits)

    def write(self) -> Portrait:
        nearest = rank_neighbours(self.segment, self.profiles.segments)
        return Portrait(
            lead=self._lead(),
            facts=self._key_facts(),
            mixes=self.mixes,
            paragraphs=tuple(p for p in (self._paragraph(*group) for group in GROUPS) if p.sentences),
            contrast=self._contrast(nearest[0]) if nearest else None,
            nearest=nearest,
        )

    def _lead(self) -> Sentence:
        """Join the three strongest differences; each theme gives one before any gives two."""
        strong = sorted((f for f in self.facts if f.is_clear and f.trait.variable.role == "feature"), key=strength)
        chosen: list[Fact] = []
        for fact in strong:
            if is_news(fact.trait, {subject(other.trait) for other in chosen}) and len(chosen) < 3:
                chosen.append(fact)
        if not chosen:
            text = f"They are close to all {self.study.customers} in everything that forms the segments."
            return Sentence(text, ())
        if all(f.trait.meaning == "opinion" and f.trait.variable.unit == "yes_no" for f in chosen):
            return self._lead_answers(chosen)
        chosen.sort(key=lambda f: (_ORDER.index(f.trait.theme), strength(f)))
        told = [(*self._verb(fact), fact) for fact in chosen]
        # Comparatives come last and say with whom; phrases of the settings stand as they are.
        told.sort(key=lambda item: _compares(item[1], item[2]))
        parts = _join_alike([text for text, *_ in told])
        if _compares(told[-1][1], told[-1][2]):
            parts[-1] = f"{parts[-1]} than others"
        return Sentence(f"They {joined(parts)}.", tuple(claim for _, claim, _ in told))

    def _lead_answers(self, chosen: Sequence[Fact]) -> Sentence:
        """Say how many give each answer; answers with the same share in words stand together."""
        groups: dict[str, list[Fact]] = {}
        for fact in sorted(chosen, key=lambda f: -f.difference.summary.mean):
            groups.setdefault(in_people(fact.difference.summary.mean), []).append(fact)
        parts = []
        for people, facts in groups.items():
            answers = joined([f"“{answer(f.phrases.label)}”" for f in facts])
            parts.append(f"{people} {'says' if people.startswith('one in') else 'say'} {answers}")
        claims = tuple(Claim("share", f.trait.name, f.difference.summary.mean) for f in chosen)
        return Sentence(f"{capital(joined(parts))}.", claims)

    def _verb(self, fact: Fact) -> tuple[str, Claim]:
        """Return the phrase for a clear difference, and what it claims."""
        up = fact.difference.direction > 0
        if part := self._part(fact.trait.name):
            mix, item = part
            if up and item.share > 0.5:
                return fact.phrases.majority(item, mix.whole), Claim("majority", fact.trait.name, item.share)
            if not up and item.share < 0.05:
                return fact.phrases.hardly(item, mix.whole), Claim("part", fact.trait.name, item.share)
        if fact.highest and (text := fact.phrases.most()):
            return text, Claim("highest", fact.trait.name)
        if fact.lowest and (text := fact.phrases.least()):
            return text, Claim("lowest", fact.trait.name)
        return (fact.phrases.more() if up else fact.phrases.less()), fact.claim

    def _part(self, variable: str) -> tuple[Mix, MixPart] | None:
        return next(((mix, p) for mix in self.mixes for p in mix.parts if p.variable == variable), None)

    def _key_facts(self) -> tuple[KeyFact, ...]:
        """Customers, share of value, and the two figures a reader asks for next."""
        formats, segment = self.formats, self.segment
        several = len(self.profiles.segments) > 1
        facts = [
            KeyFact(
                formats.people(segment.n),
                self.study.customers,
                f"{capital(in_people(segment.share))} of all" if several else "all",
            )
        ]
        by_meaning = {f.trait.meaning: f for f in reversed(self.facts)}
        value = next((f for f in self.facts if f.trait.name == self.study.value), None)
        if segment.value_share is not None and value is not None:
            each = formats.money(rounded(value.difference.summary.mean))
            share, whole = formats.whole_percent(segment.value_share), value.phrases.noun()
            facts.append(KeyFact(share, f"of {whole}", f"{each} each on average"))
        for meaning in ("frequency", "basket", "recency", "tenure", "visits", "balance", "satisfaction"):
            fact = by_meaning.get(meaning)
            if fact is None or len(facts) == 4 or fact is value:
                continue
            item = self._key_fact(fact)
            if meaning in {"frequency", "basket"} or item.figure != item.note.removeprefix("all: "):
                facts.append(item)
        shown = {fact.label for fact in facts}
        for fact in sorted((f for f in self.facts if f.is_clear), key=strength):
            item = self._key_fact(fact)
            same = item.figure == item.note.removeprefix("all: ")
            if len(facts) < 4 and item.label not in shown and fact.trait.name not in self.in_mixes and not same:
                facts.append(item)
                shown.add(item.label)
        # A segment without clear differences is described by its usual figures.
        for fact in (f for f in self.facts if f.trait.variable.role == "feature" and f.trait.variable.unit != "yes_no"):
            item = self._key_fact(fact)
            if len(facts) < 4 and item.label not in shown and fact.trait.name not in self.in_mixes:
                facts.append(item)
                shown.add(item.label)
        return tuple(facts)

    def _key_fact(self, fact: Fact) -> KeyFact:
        unit, own, base = fact.trait.variable.unit, fact.difference.summary, fact.everyone
        if unit == "yes_no":
            whole, label = self.formats.whole_percent, fact.trait.label
            label = f"say “{answer(fact.phrases.label)}”" if fact.trait.meaning == "opinion" else label
            return KeyFact(whole(own.mean), label, f"all: {whole(base.mean)}")
        here, there = fact.phrases.figure(own.median, self.formats), fact.phrases.figure(base.median, self.formats)
        return KeyFact(here, fact.phrases.figure_label(), f"all: {there}")

    def _paragraph(self, theme: Theme, title: str, themes: tuple[Theme, ...]) -> Paragraph:
        sentences: list[Sentence] = []
        for mix in self.mixes:
            if mix.theme in themes:
                sentences += self._say_mix(mix)
        limit = MOST_SENTENCES if theme != "buying" else 5
        facts = [f for f in self.facts if f.trait.theme in themes and f.trait.name not in self.in_mixes]
        if themes == ("people",):
            facts = [f for f in facts if f.trait.variable.unit != "yes_no" or f.trait.name in self.categories]
        said: set[str] = set()
        numbers: list[Sentence] = []
        for fact in sorted(facts, key=strength):
            if not is_news(fact.trait, said) or len(numbers) >= limit - min(len(sentences), 2):
                continue
            if sentence := self._say(fact):
                said.add(subject(fact.trait))
                numbers.append(sentence)
        if not numbers and not sentences and theme in {"buying", "contact"}:
            numbers = self._say_usual(facts)
        if theme == "people":
            numbers += [s for s in (self._say_level(t) for t in self.traits) if s][: max(0, limit - len(numbers))]
        if alike := self._say_alike(facts, said):
            numbers.append(alike)
        if theme == "buying" and not has_orders(self.facts):
            title = "What they do"
        return Paragraph(theme, title, tuple([*numbers, *sentences] if theme == "buying" else [*sentences, *numbers]))

    def _say(self, fact: Fact) -> Sentence | None:
        """State a clear difference with its figure and everyone's; None where both read alike."""
        if not fact.is_clear:
            return None
        trait, own, base = fact.trait, fact.difference.summary, fact.everyone
        if trait.variable.unit == "yes_no":
            return self._say_share(fact)
        told = self.formats.told(trait.variable.unit, (own.mean, own.median), (base.mean, base.median))
        measure = told[0] if told else "mean"
        values = (own.median, base.median) if measure == "median" else (own.mean, base.mean)
        here, there = (fact.phrases.figure(value, self.formats) for value in values)
        if here == there:
            return None
        verb, claim = self._verb(fact)
        stated = Claim("median" if measure == "median" else "mean", trait.name, *values)
        text = fact.phrases.statement(verb, here, there, measure == "median")
        return Sentence(text + (self._rhythm(fact) if measure == "median" else ""), (claim, stated))

    def _rhythm(self, fact: Fact) -> str:
        """Say how often an order comes, where the study names its period."""
        n, days = fact.difference.summary.median, read_period(self.study.period)
        known = any(f.trait.meaning == "gap" for f in self.facts)
        if fact.trait.meaning != "frequency" or known or not days or n < 1 or days / n < SHORTEST_GAP:
            return ""
        gap = span(days / n)
        return "" if any(c.isdigit() for c in gap) else f" That is about one order every {gap}."

    def _say_usual(self, facts: Sequence[Fact]) -> list[Sentence]:
        """State the usual figures of forming features, where none differs from everyone's."""
        found = []
        for fact in facts:
            summary, figure = fact.difference.summary, fact.phrases.figure
            text = fact.phrases.plain(figure(summary.median, self.formats), typical=True)
            if text and fact.trait.variable.role == "feature":
                found.append(Sentence(text, (Claim("median", fact.trait.name, summary.median, fact.everyone.median),)))
        return found[:2]

    def _say_share(self, fact: Fact) -> Sentence | None:
        own, base = fact.difference.summary.mean, fact.everyone.mean
        if abs(own - base) < POINTS:
            return None
        stated = Claim("share", fact.trait.name, own, base)
        return Sentence(fact.phrases.share(own, base, self.study.customers), (fact.claim, stated))

    def _say_mix(self, mix: Mix) -> Iterator[Sentence]:
        """Say the largest part, and the others that differ most from everyone's."""
        largest, usual, percent = mix.largest(), mix.largest_everywhere(), self.formats.whole_percent
        if not largest.variable or len({part.share for part in mix.parts}) == 1:
            return
        noun = "channel" if mix.theme == "channels" else "product group"
        whole = "spending" if mix.whole == "spend" else mix.whole
        own, base = percent(largest.share), percent(largest.everyone)
        if largest is not usual:
            tail = f"; for everyone it is {usual.phrase}"
        else:
            tail = f" ({base} for everyone)" if own != base else ", as for everyone"
        yield Sentence(
            f"Their largest {noun} is {largest.phrase}, with {own} of their {whole}{tail}.",
            (
                Claim("largest", largest.variable),
                Claim("part", largest.variable, largest.share, largest.everyone),
            ),
        )
        if mix.theme == "channels" and HALF <= largest.main < NEARLY_ALL:
            verb = "order" if mix.whole == "orders" else "buy"
            text = f"{capital(in_people(largest.main))} {verb} mainly {where(largest.link, largest.part)}."
            yield Sentence(text, (Claim("main", largest.variable, largest.main),))
        others = sorted((p for p in mix.parts if p.variable and p is not largest), key=lambda p: p.share - p.everyone)
        if others and others[-1].share - others[-1].everyone >= POINTS / 2:
            part = others[-1]
            takes = "take" if is_plural(part.part) else "takes"
            text = f"{part.title} {takes} {percent(part.share)}, against {percent(part.everyone)} for everyone."
            yield Sentence(text, (Claim("part", part.variable, part.share, part.everyone),))
        if others and others[0].everyone - others[0].share >= POINTS:
            part = others[0]
            plays = "play" if is_plural(part.part) else "plays"
            text = f"{part.title} {plays} a smaller part: {percent(part.share)}, against {percent(part.everyone)}."
            yield Sentence(text, (Claim("part", part.variable, part.share, part.everyone),))

    def _say_level(self, trait: Trait) -> Sentence | None:
        """State the answer of a category that is most over-represented, where it says something."""
        category = self.categories.get(trait.name)
        if category is None or trait.theme != "people" or trait.variable.unit == "yes_no":
            return None
        return self._say_category(trait, category)

    def _say_category(self, trait: Trait, category: CategoryProfile) -> Sentence | None:
        here = category.segments[self.segment.id - 1]
        # A number is a code, which tells a reader nothing.
        named = [i for i, x in enumerate(category.levels) if x not in {"Other", "Unknown"} and not x.isdigit()]
        if not named:
            return None
        i = max(named, key=lambda i: here[i] - category.everyone[i])
        if here[i] - category.everyone[i] < POINTS or here[i] < 0.2:
            return None
        one = in_people(here[i]).startswith("one in")
        verb = ("answers" if one else "answer") if self.asked else ("has" if one else "have")
        text = (
            f"Under “{trait.label}”, {in_people(here[i])} {verb} “{category.levels[i]}”, "
            f"against {of_all(category.everyone[i], self.study.customers)}."
        )
        return Sentence(text, (Claim("level", trait.name, here[i], category.everyone[i], level=category.levels[i]),))

    def _say_alike(self, facts: Sequence[Fact], said: set[str]) -> Sentence | None:
        """Name what the segment has in common with everyone: by phrases of the settings, and by labels of people."""
        if len(self.profiles.segments) < 2:
            return None
        alike = [f for f in facts if f.is_alike and subject(f.trait) not in said]
        phrased = [f for f in alike if f.trait.typical]
        shared = {
            subject(f.trait): f
            for f in reversed(alike)
            if f.trait.theme == "people" and f.trait.variable.role != "feature" and not f.trait.typical
        }
        named = list(shared.values())[::-1][:3]
        texts = [f"They {joined([f.trait.typical for f in phrased])}."] if phrased else []
        if named:
            texts.append(f"They are like everyone in {joined([f.phrases.shared() for f in named])}.")
        shown = [*phrased, *named]
        return Sentence(" ".join(texts), tuple(Claim("alike", f.trait.name) for f in shown)) if texts else None

    def _contrast(self, nearest: int) -> Sentence | None:
        """Say how the segment differs from the most similar one."""
        other = self.profiles.segments[nearest - 1]
        theirs = {d.variable: d for d in other.differences}
        ranked = []
        for fact in self.facts:
            d = theirs.get(fact.trait.name)
            if (
                d is None
                or fact.trait.variable.role not in {"feature", "descriptor"}
                or not other.is_typical(d.summary)
            ):
                continue
            gap = fact.difference.z - d.z
            apart = fact.difference.summary.mean - d.summary.mean
            small = fact.trait.variable.unit == "yes_no" and abs(apart) < POINTS
            if abs(gap) >= CLEAR and gap * apart > 0 and not small:
                ranked.append((gap, fact))
        ranked.sort(key=lambda item: (-abs(item[0]), item[1].trait.name))
        chosen: list[tuple[float, Fact]] = []
        for gap, fact in ranked:
            if len(chosen) < CONTRASTS and is_news(fact.trait, {subject(f.trait) for _, f in chosen}):
                chosen.append((gap, fact))
        if not chosen:
            return None
        chosen.sort(key=lambda item: _ORDER.index(item[1].trait.theme))
        verbs = [fact.phrases.more() if gap > 0 else fact.phrases.less() for gap, fact in chosen]
        claims = [Claim("above" if gap > 0 else "below", fact.trait.name, against=nearest) for gap, fact in chosen]
        name = self.names[nearest - 1]
        unlike = f"those who {name[:1].lower()}{name[1:]}" if name.startswith(("Say “", "Don't say “")) else f"“{name}”"
        unlike = f"segment {name}" if "“" in name and unlike.startswith("“") else unlike
        return Sentence(f"Unlike {unlike}, they {joined(_join_alike(verbs))}.", tuple(claims))


_ORDER = list(TITLES)


def _compares(claim: Claim, fact: Fact) -> bool:
    """Tell whether the phrase for a claim is a comparative of the tool's own."""
    own = fact.trait.more if claim.kind == "higher" else fact.trait.less
    return claim.kind in {"higher", "lower"} and not own


def _join_alike(parts: list[str]) -> list[str]:
    """Say the beginning of two phrases once: "spend most of their money on toys" and "in stores".

    >>> _join_alike(["order often", "spend most of their money on toys", "spend most of their money through the app"])
    ['order often', 'spend most of their money on toys and through the app']
    """
    found: list[str] = []
    for part in parts:
        start = next((s for s in _STARTS if part.startswith(s)), "")
        if start and found and found[-1].startswith(start):
            found[-1] = f"{found[-1]} and {part.removeprefix(start)}"
        else:
            found.append(part)
    return found


_STARTS = (
    "spend most of their money ", "spend more of their money ", "spend less of their money ", "spend hardly anything ",
    "place most of their orders ", "place more of their orders ", "place fewer of their orders ", "hardly ever order ",
    "have the most ", "have the fewest ", "have the highest ", "have the lowest ", "have the largest ",
    "have the smallest ", "have more ", "have fewer ", "have a higher ", "have a lower ", "have a larger ",
    "have a smaller ",
)  # fmt: skip
"""Beginnings of phrases that two differences can share."""
