"""What a portrait consists of: sentences with claims that can be checked on the data, paragraphs and key facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.profiles.mixes import Mix
from analysis.settings.models import Theme

ClaimKind = Literal[
    "higher", "lower", "highest", "lowest", "median", "mean", "share", "part", "largest", "majority", "main", "alike",
    "level", "above", "below", "n", "value_share",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about one variable in one segment that can be checked on the data.

    Attributes
    ----------
    kind : str
        "higher" and "lower" compare the mean with everyone's, "above" and "below" with that of segment ``against``;
        "highest" and "lowest" compare it with all other segments; "median", "mean" and "share" state ``value``;
        "part" states a part's share of its mix, "largest" that no part is larger, "majority" that the part is over
        half, "main" that it is the largest part for the share ``value`` of members; "alike" that the mean lies close to
        everyone's; "level" states the share of members with the answer ``level``.
    variable : str
    value : float, optional
        As computed; the text shows it rounded.
    everyone : float, optional
        The same over all customers, where the sentence states it.
    against : int
        Number of the segment compared with; 0 for everyone.
    level : str
    """

    kind: ClaimKind
    variable: str
    value: float | None = None
    everyone: float | None = None
    against: int = 0
    level: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and what it claims."""

    text: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences under a heading; ``theme`` chooses the icon."""

    theme: Theme
    title: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class KeyFact:
    """A plain fact of the first screen: the figure, what it is, and its comparison with everyone."""

    figure: str
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Portrait:
    """What a persona page says before its evidence.

    Attributes
    ----------
    lead : Sentence
    facts : tuple of KeyFact
        Four at most.
    mixes : tuple of Mix
    paragraphs : tuple of Paragraph
    contrast : Sentence, optional
        Against the nearest segment; None for a single one.
    nearest : tuple of int
        Numbers of the other segments, the most alike first.
    """

    lead: Sentence
    facts: tuple[KeyFact, ...]
    mixes: tuple[Mix, ...]
    paragraphs: tuple[Paragraph, ...]
    contrast: Sentence | None
    nearest: tuple[int, ...]
