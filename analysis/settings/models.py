"""The settings of a study: the ``segmentation:`` block of ``_quarto.yml``, overlaid by Quarto profiles."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.expressions import parse

Kind = Literal["customers", "transactions", "survey", "events"]
Role = Literal["feature", "descriptor", "outcome", "ignore"]
Unit = Literal["money", "count", "share", "days", "years", "yes_no", "number", "category"]
Algorithm = Literal["kmeans", "kprototypes", "mixture", "ward", "dbscan", "hdbscan"]
Scaling = Literal["standard", "minmax", "robust", "none"]
Transform = Literal["auto", "none", "log"]
CriterionName = Literal["size", "value", "outlook", "growth", "reachability", "response"]


class Settings(BaseModel):
    """Base of all settings: unknown keys are errors, values cannot change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Roles(Settings):
    """Columns of a source that are used as they stand; columns named nowhere only feed formulas."""

    feature: tuple[str, ...] = Field(default=(), description="Columns that form the segments.")
    descriptor: tuple[str, ...] = Field(default=(), description="Columns that describe the segments and form none.")
    outcome: tuple[str, ...] = Field(default=(), description="Columns that describe them and that they are to predict.")
    ignore: tuple[str, ...] = Field(default=(), description="Columns that are neither drawn nor summarised.")

    @model_validator(mode="after")
    def _one_role_each(self) -> Roles:
        seen: dict[str, str] = {}
        for role in get_args(Role):
            for column in getattr(self, role):
                if column in seen:
                    raise ValueError(f"column '{column}' has two roles, {seen[column]} and {role}; keep one")
                seen[column] = role
        return self


class RowColumns(Settings):
    """Which columns of transactions or events say what."""

    customer: str | None = Field(default=None, description="Whose row it is; the key of the other sources.")
    date: str | None = Field(default=None, description="When it was.")
    amount: str | None = Field(default=None, description="Transactions: money paid; less than nothing is a refund.")
    order: str | None = Field(
        default=None, description="Transactions: which rows are one purchase; none: those of a day."
    )
    quantity: str | None = Field(default=None, description="Transactions: how many pieces.")
    category: str | None = Field(default=None, description="Transactions: what was bought, for shares of spend.")
    channel: str | None = Field(default=None, description="Transactions: where it was bought, for shares of spend.")
    session: str | None = Field(
        default=None, description="Events: which rows are one visit; none: a long pause ends it."
    )
    event: str | None = Field(default=None, description="Events: what happened, such as a page view or a purchase.")


class Source(Settings):
    """One table of the study and how to read it."""

    path: str = Field(
        min_length=1, description="File, relative to the project folder; or a pattern of files, or an address."
    )
    kind: Kind = Field("customers", description="What a row is.")
    key: str | None = Field(None, description="Column that identifies the customer; none: row numbers serve.")
    columns: RowColumns = Field(RowColumns(), description="For transactions and events: which column is what.")
    roles: Roles = Field(Roles(), description="What columns are used for as they stand.")
    labels: dict[str, str] = Field({}, description="Words for the page, by column.")
    units: dict[str, Unit] = Field({}, description="Unit of a column, where it is not plain from the data.")
    types: dict[str, Literal["number", "date", "category", "boolean", "text"]] = Field(
        {}, description="Type of a column, where the reader should not decide."
    )
    merge: dict[str, dict[str, str]] = Field({}, description="Spellings of a category to merge, by column.")
    ordered: dict[str, tuple[str, ...]] = Field(
        {}, description="Answers of a category from least to most, by column, where they are not recognised."
    )
    plausible: dict[str, tuple[float | None, float | None]] = Field(
        {}, description="Lowest and highest believable value, by column; ~ leaves a side open."
    )
    dates: Literal["auto", "day-first", "month-first", "iso"] = Field(
        "auto", description="Order of day, month and year in text; auto: by the evidence in the column."
    )
    decimal: Literal["auto", ".", ","] = Field("auto", description="Decimal mark; auto: by the evidence.")
    delimiter: str = Field("auto", description="What separates the columns of a text file; auto: by the evidence.")
    encoding: str = Field("auto", description="Encoding of a text file, such as utf-8; auto: by the evidence.")
    battery: tuple[str, ...] = Field((), description="Survey items on one scale; default: those that form segments.")
    origin: str = Field("", description="Where to get the file, for people who do not have it.")
    sheet: str | int | None = Field(None, description="Sheet of a workbook, by name or number from 0.")
    query: str | None = Field(None, description="SQL, where the path is the address of a database.")
    header: bool | None = Field(None, description="Whether the first line names the columns; none: by evidence.")
    names: tuple[str, ...] | None = Field(None, description="Names for the columns of a file without a header.")

    @field_validator("plausible")
    @classmethod
    def _low_to_high(cls, ranges: dict[str, tuple[float | None, float | None]]) -> object:
        for column, (low, high) in ranges.items():
            if low is not None and high is not None and low > high:
                raise ValueError(f"'{column}': nothing lies between {low:g} and {high:g}; lower one first")
        return ranges

    def named_columns(self) -> tuple[str, ...]:
        """Every column that the settings name, each once, key first."""
        named = [self.key] if self.key else []
        named += [column for column in self.columns.model_dump().values() if column]
        named += self.battery
        for role in get_args(Role):
            named += getattr(self.roles, role)
        for part in (self.labels, self.units, self.types, self.merge, self.ordered, self.plausible):
            named += part
        return tuple(dict.fromkeys(named))


class Feature(Settings):
    """A variable computed from the columns of a customer.

    ``high`` and ``low`` are the words for a segment far above or below everyone, as a plural noun
    ("wine buyers"); names and stories are made from them.
    """

    label: str = Field(description="What the pages call it.")
    formula: str = Field(description="How it is computed from the columns of a customer.")
    unit: Unit = Field("number", description="What it is measured in; numbers are written by it.")
    role: Role = Field("feature", description="Whether it forms segments, describes them or is to be predicted.")
    transform: Transform = Field("auto", description="Logarithm or not; auto: of skewed amounts and counts.")
    about: str = Field("", description="One sentence for the page.")
    high: str = Field("", description='Words for those far above everyone, as a plural noun: "wine buyers".')
    low: str = Field("", description="The same for those far below.")

    @field_validator("formula", mode="before")
    @classmethod
    def _formula_parses(cls, formula: object) -> str:
        return parse(str(formula)).text


class Reduce(Settings):
    """Clustering in fewer dimensions than were measured; the linter says what that costs."""

    pca: int = Field(ge=1, le=50, description="Principal components that are kept.")


class ProofChoices(Settings):
    """What the segments have to predict, and what they are held against."""

    split: dt.date | Literal["auto"] = Field(
        default="auto", description="Last day that segments are formed by; auto: a third of the time is held out."
    )
    recency: str | None = Field(
        default=None, description="Variable that says how long ago a customer bought, for RFM cells."
    )
    frequency: str | None = Field(
        default=None, description="Variable that says how often a customer bought, for RFM cells."
    )


class CardChoices(Settings):
    """What only people can say about a segmentation."""

    purpose: str = Field(default="", description="What the segments are for.")
    owner: str = Field(default="", description="Who answers for them: a role or a team.")
    valid_until: dt.date | None = Field(
        default=None, description="Last day they should be used; none: a year after the date."
    )
    protected: tuple[str, ...] | None = Field(
        default=None, description="Columns that must not be revealed or treated unlike; none: recognised by name."
    )


class HistoryChoices(Settings):
    """Which earlier run this one is compared with."""

    previous: str | None = Field(
        default=None,
        min_length=1,
        description="Record, folder of records, or address of a published site; none: the newest one kept here.",
    )


class NameRule(Settings):
    """What a segment is called for good; or which earlier segment it is; or that its name is nobody's any more."""

    called: str | None = Field(default=None, min_length=1, description="Name to show; may stand alone.")
    same_as: str | None = Field(default=None, description="Address of the earlier segment that this one is.")
    retired: bool = Field(default=False, description="Whether no segment is to have this name any more.")

    @model_validator(mode="before")
    @classmethod
    def _text_is_a_name(cls, value: object) -> object:
        return {"called": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_three(self) -> NameRule:
        if [self.called is not None, self.same_as is not None, self.retired].count(True) != 1:
            raise ValueError("say a name, or {same_as: <address of an earlier segment>}, or {retired: true}")
        return self


class TargetingChoices(Settings):
    """What the targeting workshop begins with; readers change it in the page."""

    weights: dict[CriterionName, Annotated[int, Field(ge=0, le=100)]] = Field(
        default={}, description="Weight of a criterion, 0 to 100."
    )
    response: str | None = Field(
        default=None, description="Outcome of yes or no that counts as response, a yes being good; none: the first."
    )


class Study(Settings):
    """The whole study. Defaults are those of the Methodology page."""

    title: str = Field(min_length=1, description="Name of the study; runs of one title are compared.")
    subtitle: str = Field("", description="What it is about, in a sentence.")
    customers: str = Field("customers", description="What a row of the segmentation is called, plural.")
    locale: Literal["en", "de"] = Field("en", description="How numbers and dates are written; the words are English.")
    currency: str = Field("", description="Symbol or code of the currency; empty: not stated.")
    period: str = Field("", description='What money and counts cover, such as "in two years".')
    as_of: dt.date | Literal["auto"] = Field("auto", description="Date of the study; auto: newest in the data.")
    demo: Literal["none", "twin", "retailer"] = Field(
        "none", description="Synthetic study that stands in where no source is there."
    )
    sources: tuple[Source, ...] = Field(min_length=1, description="The tables; they are joined by customer.")
    features: dict[str, Feature] = Field({}, description="Variables that are computed, by name.")
    value: str | None = Field(None, description="Feature or column that says what a customer is worth.")
    segments: int | Literal["auto", "elbow"] = Field(
        "auto", description="How many, from 2 to 20; auto: by the evidence; elbow: that of k-means."
    )
    max_segments: int = Field(8, ge=2, le=20, description="The largest number that the evidence may choose.")
    starts: int = Field(
        3, ge=1, le=50, description="k-means starts of each resampled fit; more are steadier and take longer."
    )
    algorithm: Algorithm | Literal["auto"] = Field("auto", description="Which one; auto: they compete.")
    scaling: Scaling = Field("standard", description="How features are made comparable before distances are taken.")
    encode: Literal["none", "indicator", "label"] = Field(
        "none", description="Let categories form segments: by matching or not (indicator), or by a number each."
    )
    reduce: Reduce | None = Field(None, description="Cluster in the first principal components.")
    outliers: Literal["robust", "winsorise", "none"] = Field(
        "robust", description="Unusual customers: set aside while fitting, or their values drawn in, or not looked for."
    )
    near_copies: Literal["drop", "weigh", "keep"] = Field(
        "drop", description="Features that move together almost fully: one for all, all sharing a weight, or all."
    )
    noise: Literal["drop", "keep"] = Field(
        "drop", description="Features that move with no other and have one peak: described, or forming segments."
    )
    transform: Literal["auto", "none"] = Field("auto", description="Logarithm of skewed amounts, or none at all.")
    missing: Literal["median", "exclude", "knn", "iterative"] = Field(
        "median",
        description="Customers without a value in a feature: how it is filled, or that they are not fitted on.",
    )
    seed: int = Field(2014, ge=0, le=2**32 - 1, description="Where chance begins; the same seed, the same pages.")
    min_cell: int = Field(10, ge=2, description="Fewest customers that a published number may stand for.")
    min_share: float = Field(0.03, gt=0, lt=0.5, description="Smallest share of customers in a segment.")
    min_customers: int = Field(30, ge=1, description="Fewest customers in a segment.")
    proof: ProofChoices = Field(ProofChoices(), description="How the segments are put to the proof.")
    card: CardChoices = Field(CardChoices(), description="What the segmentation card says of purpose and fairness.")
    targeting: TargetingChoices = Field(TargetingChoices(), description="What the targeting workshop begins with.")
    names: dict[str, NameRule] = Field(
        {}, description="Name to show instead of a generated one, or what becomes of it, by slug."
    )
    history: HistoryChoices = Field(HistoryChoices(), description="Which earlier run this one is compared with.")

    def only(self, *fields: str) -> Study:
        """These settings; all others, and with them all words, are as if nobody had written them."""
        return Study.model_construct(None, title="", sources=(), **{name: getattr(self, name) for name in fields})

    @field_validator("segments", mode="before")
    @classmethod
    def _segments(cls, value: object) -> object:
        if value in ("auto", "elbow") or (isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= 20):
            return value
        raise ValueError(f"{value!r} cannot be used; valid are auto, elbow and whole numbers from 2 to 20")

    @model_validator(mode="after")
    def _a_density_method_takes_no_number(self) -> Study:
        if self.algorithm in ("dbscan", "hdbscan") and self.segments != "auto":
            raise ValueError(f"algorithm: {self.algorithm} finds the number of segments itself; set segments: auto")
        return self

    @model_validator(mode="after")
    def _prototypes_take_categories(self) -> Study:
        if self.algorithm == "kprototypes" and (self.encode != "indicator" or self.reduce):
            raise ValueError("algorithm: kprototypes is for categories as they are; set encode: indicator, no reduce")
        return self

    @model_validator(mode="after")
    def _same_names_lead_somewhere(self) -> Study:
        for slug in self.names:
            chain = [slug]
            while chain[-1] in self.names and (following := self.names[chain[-1]].same_as):
                if following in chain:
                    raise ValueError(f"names.{slug}: {' is '.join([*chain, following])}; keep one of them")
                chain.append(following)
            if len(chain) > 1 and chain[-1] in self.names and self.names[chain[-1]].retired:
                raise ValueError(f"names.{chain[-2]}: '{chain[-1]}' is retired; name another segment")
        return self

    @model_validator(mode="after")
    def _names_are_free(self) -> Study:
        for name in self.features:
            if not name.isidentifier():
                raise ValueError(f"features: '{name}' cannot be a name; use letters, digits and underscores")
        return self


def project_settings(root: Path, profile: str | None = None) -> dict[str, Any]:
    """Read ``_quarto.yml`` and overlay the profiles, as Quarto does.

    Parameters
    ----------
    root : Path
        Folder of the project.
    profile : str, optional
        Profile names, comma separated; default is the environment's QUARTO_PROFILE.

    Raises
    ------
    InputError
        Where a file is missing or is not YAML.
    """
    settings = _read_yaml(root / "_quarto.yml")
    for overlay in profile_files(root, profile):
        settings = merge(settings, _read_yaml(overlay))
    return settings


def profile_files(root: Path, profile: str | None = None) -> list[Path]:
    """The ``_quarto-<profile>.yml`` files in force, in the order in which they are laid over the settings."""
    names = os.environ.get("QUARTO_PROFILE", "") if profile is None else profile
    files = [root / f"_quarto-{name.strip()}.yml" for name in names.split(",") if name.strip()]
    for file in files:
        if not file.is_file():
            known = sorted(p.stem.removeprefix("_quarto-") for p in root.glob("_quarto-*.yml"))
            raise InputError(
                f"Profile '{file.stem.removeprefix('_quarto-')}': {file.name} is not there.",
                f"Profiles there: {listed(known) or 'none'}.",
                "Set QUARTO_PROFILE to one of them, or unset it.",
            )
    return files


def load_study(root: Path, profile: str | None = None) -> Study:
    """Read and check the ``segmentation:`` block.

    A profile that names its own sources is a study of its own; one that does not changes the default study.

    Raises
    ------
    InputError
        Naming file, setting, value and the valid choices of up to three problems.
    """
    block: Any = _read_yaml(root / "_quarto.yml").get("segmentation")
    for overlay in profile_files(root, profile):
        own = _read_yaml(overlay).get("segmentation")
        if isinstance(own, dict):
            block = own if "sources" in own or not isinstance(block, dict) else merge(block, own)
    if not isinstance(block, dict):
        raise InputError(
            "_quarto.yml has no 'segmentation:' block.",
            "It holds the study: title, sources, features.",
            "The Reproduce page and the README show one.",
        )
    return check_study(block, [path.name for path in profile_files(root, profile)])


def check_study(block: Mapping[str, Any], overlays: list[str] | None = None) -> Study:
    """Turn a raw block into a :class:`Study`, or say what is wrong with it."""
    try:
        return Study.model_validate(block)
    except ValidationError as error:
        where = ", ".join(["_quarto.yml", *(overlays or [])])
        raise InputError(_told(where, _explain_all(error.errors(include_url=False)))) from None


def name_settings_file(message: str, root: Path, profile: str | None = None) -> str:
    """Name the file in which a setting stands, in a message about settings.

    Parameters
    ----------
    message : str
        Settings are written in it as ``_quarto.yml, segmentation.sources[0].key``.
    root : Path
        Folder of the project.
    profile : str, optional
        As in :func:`project_settings`.

    Returns
    -------
    str
        With the profile's name where the profile has the setting, or more of the way to it than ``_quarto.yml``.
    """
    try:
        files = {file.name: _read_yaml(file) for file in (root / "_quarto.yml", *profile_files(root, profile))}
    except InputError:
        return message

    def named(match: re.Match[str]) -> str:
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", match[1])]
        # The last file in force wins: it lies on top of the others.
        best = max(reversed(files), key=lambda name: _depth(files[name], steps))
        return f"{best}, {match[1]}"

    return re.sub(r"_quarto\.yml(?:, _quarto-[\w-]+\.yml)*, (segmentation(?:\.[\w-]+|\[\d+\])*)", named, message)


def _depth(settings: Any, steps: list[str | int]) -> int:
    """How many steps of the way to a setting are there."""
    for n, step in enumerate(steps):
        try:
            settings = settings[step]
        except (KeyError, IndexError, TypeError):
            return n
    return len(steps)


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one tree of settings over another: mappings merge, lists and values are replaced.

    Examples
    --------
    >>> merge({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.name} is not in this folder.", hint="Run from the project's folder.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "the file is not UTF-8 text"
        raise InputError(f"{path.name}{place}: not valid YAML ({problem}).", hint="Check indents and colons.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path.name} holds no settings.", "Expected 'key: value' lines.")
    return content


def _told(where: str, problems: list[str]) -> str:
    """As many problems as five lines hold, and how many there are besides."""
    lines: list[str] = []
    for i, problem in enumerate(problems):
        new = f"{where}, {problem}".split("\n")
        left = len(problems) - i
        if lines and len(lines) + len(new) > (5 if left == 1 else 4):
            return "\n".join([*lines, f"({left} more problem{'s' if left > 1 else ''})"])
        lines += new
    return "\n".join(lines)


def _explain_all(problems: list[Any]) -> list[str]:
    """One text for each place; a setting that takes several kinds of value has one text with all of them."""
    wrong_lists = {p["loc"] for p in problems if p["type"] == "too_short" and p["input"]}
    by_place: dict[str, list[Any]] = {}
    for problem in problems:
        # A list with a bad item is also told to be too short.
        if problem["loc"] not in wrong_lists:
            by_place.setdefault(_place(problem["loc"]), []).append(problem)
    return [_explain(place, found) for place, found in by_place.items()]


def _place(location: tuple[Any, ...]) -> str:
    place = "segmentation"
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
        elif not (part.startswith("literal[") or part in {"int", "date", "constrained-str", "str"}):
            place += f".{part}"
    return place


def _explain(place: str, problems: list[Any]) -> str:
    problem = problems[0]
    kind, value = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        name = str(problem["loc"][-1])
        known = _fields_at(problem["loc"][:-1])
        hint = did_you_mean(name, known)
        return f"{place}: unknown setting '{name}'.\n  Valid here: {listed(known, 40)}.  {hint}".rstrip()
    choices = [p["ctx"]["expected"] for p in problems[::-1] if p["type"] == "literal_error"]
    if choices:
        choices += ["a date such as 2014-06-29" for p in problems if p["type"].startswith("date_")]
        return f"{place}: {value!r} is not a choice here.\n  Valid: {' or '.join(choices)}."
    if kind == "missing":
        return f"{place}: this setting is required and is not there."
    if kind == "value_error":
        return f"{place}: {problem['msg'].removeprefix('Value error, ').rstrip('.')}."
    expected = " or ".join(
        _EXPECTED[p["type"]].format(**p.get("ctx", {})) if p["type"] in _EXPECTED else p["msg"] for p in problems
    )
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    return f"{place}: {shown[:60]} cannot be used; expected is {expected}."


_EXPECTED = {
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "a number under {lt}",
    "less_than_equal": "{le} or less",
    "tuple_type": "a list",
    "too_short": "a list that is not empty",
    "dict_type": "a block of 'key: value' lines",
    "model_type": "a block of 'key: value' lines",
    "invalid_key": "a name in letters",
}
"""What is expected, by the kind of error, in the words of the settings file."""


def _fields_at(location: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = Study
    for part in location:
        model = {
            "sources": Source,
            "features": Feature,
            "roles": Roles,
            "columns": RowColumns,
            "reduce": Reduce,
            "proof": ProofChoices,
            "card": CardChoices,
            "history": HistoryChoices,
            "names": NameRule,
            "targeting": TargetingChoices,
        }.get(str(part), model)
    return list(model.model_fields)
