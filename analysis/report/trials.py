"""Results of ``make validate`` on data with known segments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from analysis.base.errors import InputError

Results = TypeVar("Results")
RESULTS = Path("tests", "validation", "results.json")
"""Where the results stand in the project."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something held, with the 95% interval of its share (Wilson 1927)."""

    held: int
    tries: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Planted:
    """One condition with known groups.

    Attributes
    ----------
    name, title, about : str
    beyond : bool
        Whether no centre describes the groups; reported separately.
    draws : int
    right : Rate
        Right number of groups, over the draws that an oracle recovers.
    agreement, oracle : float
        Median adjusted Rand index with the truth over those draws: of the line, and of the oracle.
    verdicts : dict of str to int
    rivals : dict of str to Rate
        Right number of groups by each other way.
    """

    name: str
    title: str
    about: str
    beyond: bool
    draws: int
    right: Rate
    agreement: float
    oracle: float
    verdicts: dict[str, int]
    rivals: dict[str, Rate]


@dataclass(frozen=True, slots=True)
class Groupless:
    """One condition without groups.

    ``said_so`` counts the verdicts none and constructive, and where ``levels``, segments that are named levels of one
    thing.
    """

    name: str
    title: str
    about: str
    connected: bool
    levels: bool
    said_so: Rate
    verdicts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to segment, over all draws with groups that centres describe and that an oracle recovers.

    Attributes
    ----------
    name, title, about : str
    right : Rate
        Right number of groups.
    agreement : float
        Median adjusted Rand index with the truth.
    said_so : Rate
        Customers without groups that the method reported as such.
    seconds : float
        Median of processor time on a draw with groups.
    study_seconds : float
        On the default study.
    study_k : int
        Groups that it finds there.
    """

    name: str
    title: str
    about: str
    right: Rate
    agreement: float
    said_so: Rate
    seconds: float
    study_seconds: float
    study_k: int


@dataclass(frozen=True, slots=True)
class Published:
    """A number that others published, and what this code finds."""

    what: str
    source: str
    published: str
    found: str


@dataclass(frozen=True, slots=True)
class Example:
    """Made-up customers of one try with groups that no centre describes.

    Attributes
    ----------
    title : str
        Of the condition.
    agreement : float
        Adjusted Rand index of the segments with the truth.
    points : tuple of (float, float, int, int)
        Two features, the planted group from 1, and the segment.
    """

    title: str
    agreement: float
    points: tuple[tuple[float, float, int, int], ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything together.

    Attributes
    ----------
    right : Rate
        Over all draws with groups that centres describe.
    of_oracle : float
        Median of agreement over the oracle's.
    said_so : Rate
        Over all draws without groups whose features are independent.
    recoverable : float
        Least adjusted Rand index of an oracle that recovers a draw.
    data : str
        File of the default study.
    planted : tuple of Planted
    groupless : tuple of Groupless
    ways : tuple of Way
        The method of this project first.
    published : tuple of Published
    rule : dict of str to float
        The bounds of the decision that were in force.
    versions : dict of str to str
    shaped, misshaped : Rate, optional
        How often the tool says that the data hold groups of another shape: where they do, and over all other draws.
    example : Example, optional
    """

    right: Rate
    of_oracle: float
    said_so: Rate
    recoverable: float
    data: str
    planted: tuple[Planted, ...]
    groupless: tuple[Groupless, ...]
    ways: tuple[Way, ...]
    published: tuple[Published, ...]
    rule: dict[str, float]
    versions: dict[str, str]
    shaped: Rate | None = None
    misshaped: Rate | None = None
    example: Example | None = None


def read_validation(root: Path) -> Validation | None:
    """Read the results of the trials, as `read_results`."""
    return read_results(root, RESULTS, Validation, "make validate")


def read_results(root: Path, file: Path, kind: type[Results], command: str) -> Results | None:
    """Read results about the tool that the project keeps; None where it keeps none.

    Parameters
    ----------
    root : Path
        Project folder.
    file : Path
        Below it.
    kind : type
        Dataclass of the results.
    command : str
        What writes them.

    Raises
    ------
    InputError
        Where they are of another version.
    """
    try:
        text = (root / file).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(
            f"{file.as_posix()}: {'.'.join(map(str, first['loc'])) or 'the file'} is not valid.",
            f"The format is declared in {kind.__module__.replace('.', '/')}.py.",
            f"Run {command}, or delete the file to leave out its page.",
        ) from None
