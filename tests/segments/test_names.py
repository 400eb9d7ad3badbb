"""Names of segments in seven kinds of study: their nouns are true for most members or for the largest part."""

from __future__ import annotations

import pytest

from analysis.base.formats import Formats
from analysis.segments.names import CLEARLY, HOLDS, MOST_WORDS, Namer, count_words
from tests.kinds import KINDS, load_kind


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_noun_is_true_for_most_members_or_names_their_largest_part(kind: str) -> None:
    one = load_kind(kind)
    described = one.described()
    formats = Formats(one.study.currency, one.study.customers, one.study.min_cell)
    namer = Namer(one.table, one.labels, one.profiles, described.traits, described.mixes, one.study, formats)
    names = namer.names([None] * len(described.names), set())
    assert len({name.text for name in names}) == len(names)
    for name, mixes in zip(names, described.mixes, strict=True):
        assert count_words(name.text) <= MOST_WORDS, name
        if not name.nouns:
            continue
        largest = {mix.largest().variable for mix in mixes}
        assert name.holds >= HOLDS or set(name.variables) <= largest, name
        assert name.holds - name.everyone >= CLEARLY / 2, name
        assert name.basis
