"""Matching of today's segments with those of an earlier run, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.past.records import Figures, Identity, Measures, Record, slugify
from analysis.settings.models import Study

MOST_OF = 0.5
"""Share of a segment's customers above which they count as most of it. Chosen for this project."""
FEWEST_OF = 0.1
"""Least share of the smaller of two segments that must be in both for one to go on as the other. Chosen for this
project."""
COMMON = 0.5
"""Share of the smaller run's customers that must be in both runs for matching by customers. Chosen for this project."""
WAY = 0.6
"""Part of the way to its nearest neighbour that a centre may move and still be the same segment. Chosen for this
project."""
SHARED = 0.5
"""Least share of forming features that two runs of one study have in common. Chosen for this project."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Earlier segments against today's, both numbered from 0.

    Attributes
    ----------
    by : str
    pairs : dict of int to int
        Today's segment by the earlier one that goes on as it.
    merged, split : dict of int to int
        Into which of today's segments an ended one went; from which earlier one a new one came.
    counts : ndarray of int, shape (k then + 1, k now + 1), optional
        Customers of both runs, the last row and column for those of no segment.
    left, joined : tuple of int
        Customers of an earlier segment who are not in the data any more, and those of today's who were not.
    """

    by: Literal["customers", "centres"]
    pairs: dict[int, int]
    merged: dict[int, int]
    split: dict[int, int]
    counts: NDArray[np.int64] | None = None
    left: tuple[int, ...] = ()
    joined: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What names are made with: the identity that each segment goes on with, None for new ones, and those gone."""

    kept: tuple[Identity | None, ...] = ()
    gone: tuple[Identity, ...] = ()
    as_of: str = ""


NOTHING = Memory()
"""Of a first run."""


def match_customers(then: pd.Series, now: pd.Series, k_then: int, k_now: int, min_cell: int) -> Matching | None:
    """Match segments by who is in them.

    A pair is possible where most of one segment's customers who are in both runs are in the other. Of the possible
    ones, those with the largest overlap (Jaccard) in all are taken, by the Hungarian method.

    Parameters
    ----------
    then, now : Series of int
        Segment, 1..k or 0 for none, by customer's key.
    k_then, k_now, min_cell : int

    Returns
    -------
    Matching or None
        None where too few customers are in both runs.
    """
    common = then.index.intersection(now.index)
    if len(common) < COMMON * min(len(then), len(now)):
        return None
    sides = [then[common].to_numpy(), now[common].to_numpy()]
    counts = np.zeros((k_then + 1, k_now + 1), dtype=np.int64)
    np.add.at(counts, (sides[0] - 1, sides[1] - 1), 1)
    both = counts[:-1, :-1]
    rows, columns = counts.sum(axis=1)[:-1, None], counts.sum(axis=0)[None, :-1]
    size_then = np.bincount(then, minlength=k_then + 1)[1:, None]
    size_now = np.bincount(now, minlength=k_now + 1)[None, 1:]
    is_match = (both > MOST_OF * rows) | (both > MOST_OF * columns)
    is_match &= (both >= min_cell) & (both >= FEWEST_OF * np.minimum(size_then, size_now))
    pairs = _assign(np.where(is_match, both / np.maximum(rows + columns - both, 1), 0.0))
    ended, new = set(range(k_then)) - set(pairs), set(range(k_now)) - set(pairs.values())
    merged = {i: int(both[i].argmax()) for i in ended if both[i].max() > MOST_OF * rows[i, 0]}
    merged = {i: j for i, j in merged.items() if both[i, j] >= min_cell}
    split = {j: int(both[:, j].argmax()) for j in new if both[:, j].max() > MOST_OF * size_now[0, j]}
    left = tuple(map(int, (size_then - rows).ravel()))
    return Matching("customers", pairs, merged, split, counts, left, tuple(map(int, (size_now - columns).ravel())))


def match_centres(then: Measures, now: Measures) -> Matching:
    """Match segments by where their centres lie, in today's standard units, over the features of both runs.

    A pair is possible where the centre has moved less than :data:`WAY` of the way to its nearest neighbour of then.
    An ended segment counts as merged, and a new one as split off, where the one it lies nearest to grew or shrank by
    most of it, in number and in share.
    """
    old, new = _as_matrix(then, now)
    between = _distances(old, old) + np.diag(np.full(len(old), np.inf))
    apart = np.where(np.isfinite(between.min(axis=1)), between.min(axis=1), 1.0)[:, None]
    away = _distances(old, new)
    pairs = _assign(np.maximum(0.0, 1 - away / (WAY * apart)) if old.shape[1] else np.zeros_like(away))
    back = {j: i for i, j in pairs.items()}
    merged, split = {}, {}
    for i in set(range(len(old))) - set(pairs) if pairs else ():
        j = int(away[i].argmin())
        if away[i, j] < apart[i, 0] and j in back and _moved(then, back[j], now, j, then.segments[i]) > MOST_OF:
            merged[i] = j
    for j in set(range(len(new))) - set(back) if pairs else ():
        i = int(away[:, j].argmin())
        if away[i, j] < apart[i, 0] and i in pairs and _moved(then, i, now, pairs[i], now.segments[j]) < -MOST_OF:
            split[j] = i
    return Matching("centres", pairs, merged, split)


def match(then: Record, now: Measures, members: tuple[pd.Series | None, pd.Series], min_cell: int) -> Matching | None:
    """Match by customers where both memberships are available and enough customers are in both, else by centres.

    None where the runs share too few features to be of one study.
    """
    if not _shares_features(then.measures, now):
        return None
    was, is_now = members
    by_customers = match_customers(was, is_now, then.k, len(now.segments), min_cell) if was is not None else None
    return by_customers or match_centres(then.measures, now)


def remember(base: Record | None, matching: Matching | None, k: int, as_of: str) -> Memory:
    """Return the identity that each of today's segments continues."""
    if base is None or matching is None:
        return Memory((None,) * k, (), as_of)
    back = {j: base.segments[i] for i, j in matching.pairs.items()}
    ended = tuple(s for i, s in enumerate(base.segments) if i not in matching.pairs)
    return Memory(tuple(back.get(j) for j in range(k)), (*base.gone, *ended), as_of)


def settle(names: Sequence[str], memory: Memory, study: Study, colours: Sequence[str]) -> tuple[Identity, ...]:
    """Assign an identity to each segment: that of the earlier run, or a new one with a free letter and colour.

    Parameters
    ----------
    names : sequence of str, length k
        Names of today; those of kept segments are not used.
    memory : Memory
    study : Study
        Uses ``names``, the registry.
    colours : sequence of str
        The palette, in the order of letters.

    Raises
    ------
    InputError
        For a line of the registry that cannot hold, which it names.
    """
    kept_identities = _without_retired(memory, study, len(names))
    identities: list[Identity] = []
    letters = {i.letter for i in kept_identities if i}
    for name, identity in zip(names, kept_identities, strict=True):
        if identity is None:
            places = [chr(ord("A") + i) for i in range(26)]
            free = [x for x in places if x not in letters] or places
            letter = next((x for x in free if x not in {g.letter for g in memory.gone}), free[0])
            usual_colour = colours[(ord(letter) - ord("A")) % len(colours)]
            worn = {i.colour for i in (*kept_identities, *identities) if i}
            colour = (
                usual_colour if usual_colour not in worn else next((c for c in colours if c not in worn), usual_colour)
            )
            letters.add(letter)
            identity = Identity(slugify(name), name, letter, colour, memory.as_of, name)
        identities.append(identity)
    return _apply_registry(identities, memory, study)


def taken_addresses(memory: Memory, study: Study, k: int) -> set[str]:
    """Return the addresses that a new segment must not use: active, ended or retired."""
    known = [*(i for i in _without_retired(memory, study, k) if i), *memory.gone]
    retired = {slug for slug, rule in study.names.items() if rule.retired}
    return retired | {slug for identity in known for slug in (identity.slug, *identity.former)}


def kept_names(memory: Memory, study: Study, k: int) -> list[str | None]:
    """Return the names that segments keep; None where a new name is needed."""
    return [identity.name if identity else None for identity in _without_retired(memory, study, k)]


def gone_after(memory: Memory, identities: Sequence[Identity], study: Study) -> tuple[Identity, ...]:
    """Return the identities that ended with this run, for the record."""
    here = {slug for i in identities for slug in (i.slug, *i.former)}
    known = {i.slug: i for i in (*memory.gone, *(i for i in memory.kept if i))}
    return tuple(known[slug] for slug in sorted(known) if slug not in here)


def edited_features(then: Measures, now: Measures) -> dict[str, str]:
    """Return the labels of features whose formula has changed; older records do not contain formulas."""
    was = {spread.name: spread.formula for spread in then.spreads}
    return {s.name: s.label for s in now.spreads if s.formula and was.get(s.name) and was[s.name] != s.formula}


def _shares_features(then: Measures, now: Measures) -> bool:
    """Whether enough forming features are in both runs for them to be of one study."""
    sides = [{s.name for s in m.spreads if s.scale is not None} for m in (then, now)]
    return len(sides[0] & sides[1]) >= SHARED * len(sides[0] | sides[1])


def _assign(closeness: NDArray[np.float64]) -> dict[int, int]:
    """Pairs with the largest closeness in all; those of none are no pairs."""
    rows, columns = linear_sum_assignment(closeness, maximize=True)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if closeness[i, j] > 0}


def _as_matrix(then: Measures, now: Measures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres of both runs in today's standard units, shape (k, columns of both)."""
    steps = [{s.name: s for s in m.spreads if s.scale is not None} for m in (then, now)]
    edited = edited_features(then, now)
    inside = [set.intersection(*(set(f.centre) for f in m.segments)) for m in (then, now)]
    of = {c: c if c in steps[1] else c.split("=")[0] for c in inside[0] & inside[1]}
    shared = sorted(c for c, name in of.items() if name in steps[0] and name in steps[1] and name not in edited)
    new = np.array([[f.centre[c] for c in shared] for f in now.segments]).reshape(len(now.segments), -1)
    old = np.array([[f.centre[c] for c in shared] for f in then.segments]).reshape(len(then.segments), -1)
    for at, column in enumerate(shared):
        was, is_now = (side[of[column]] for side in steps)
        plain = old[:, at] * (was.scale or 1) + (was.centre or 0)
        if was.log_unit != is_now.log_unit:
            plain = was.log_unit * np.expm1(plain) if was.log_unit else plain
            plain = np.log1p(np.maximum(plain, 0) / is_now.log_unit) if is_now.log_unit else plain
        old[:, at] = (plain - (is_now.centre or 0)) / (is_now.scale or 1)
    return old, new


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square difference over columns, shape (rows of a, rows of b)."""
    columns = max(a.shape[1], 1)
    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2) / columns)


def _moved(then: Measures, i: int, now: Measures, j: int, of: Figures) -> float:
    """By how much of a third segment one grew, in number or in share, whichever is nearer to nothing."""
    before, after = then.segments[i], now.segments[j]
    grown = [(after.n - before.n) / max(of.n, 1), (after.share - before.share) / max(of.share, 1e-9)]
    return min(grown, key=abs) if grown[0] * grown[1] > 0 else 0.0


def _without_retired(memory: Memory, study: Study, k: int) -> list[Identity | None]:
    """The identities that go on; a name that the registry retires does not."""
    retired = {slug for slug, rule in study.names.items() if rule.retired}
    return [None if i and i.slug in retired else i for i in memory.kept or (None,) * k]


def _apply_registry(identities: list[Identity], memory: Memory, study: Study) -> tuple[Identity, ...]:
    """Names of the settings over those of the runs."""
    closed = [i for i in memory.kept if i and i not in identities]
    past = {slug: i for i in (*memory.gone, *closed) for slug in (*i.former, i.slug)}
    places = {i.slug: at for at, i in enumerate(identities)}
    known = {slug for i in identities for slug in (i.slug, *i.former)} | set(past)
    retired = {past[slug].name.casefold(): slug for slug, rule in study.names.items() if rule.retired and slug in past}
    for slug, rule in study.names.items():
        if slug not in known and not rule.retired:
            near = did_you_mean(slug, places) or "A segment's address is the last part of its page's."
            raise _wrong(slug, f"no segment has or had this address; there are {listed(sorted(places))}.", near)
        if rule.same_as and slug in places:
            at, target = places[slug], rule.same_as
            while target in study.names and (following := study.names[target].same_as):
                target = following
            if target in places:
                raise _wrong(slug, f"'{target}' is another segment of this run; two segments cannot have one name.")
            if target not in past:
                there = listed(sorted(past)) or "none"
                raise _wrong(slug, f"no earlier segment had the address '{target}'.", f"Earlier ones: {there}.")
            former = dict.fromkeys((*past[target].former, slug, *identities[at].former))
            identities[at] = replace(past[target], former=tuple(x for x in former if x != past[target].slug))
        elif rule.called and rule.called.casefold() in retired:
            of = retired[rule.called.casefold()]
            raise _wrong(slug, f"'{rule.called}' is retired by names.{of}.", "Choose another name.")
    labels: dict[str, str] = {}
    for at, identity in enumerate(identities):
        rule = study.names.get(identity.slug)
        label = rule.called if rule and rule.called else identity.name
        if (other := labels.setdefault(label.casefold(), identity.slug)) != identity.slug:
            named = identity.slug if rule else other
            raise _wrong(named, f"'{label}' is the name of two segments, {other} and {identity.slug}.")
        identities[at] = replace(identity, label=label)
    return tuple(identities)


def _wrong(slug: str, what: str, hint: str = "") -> InputError:
    return InputError(f"_quarto.yml, segmentation.names.{slug}: {what}", hint=hint)
