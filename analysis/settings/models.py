"""The settings of a study, each declared with its type, its bounds and what it does."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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
        3,
        ge=1,
        le=50,
        description="k-means starts of a resampled fit, and in proportion of others; more are steadier and slower.",
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
