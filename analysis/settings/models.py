"""Settings of a study, each with its type, bounds and description."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from analysis.base.expressions import parse
from analysis.base.locales import check_tag
from analysis.base.memory import count_bytes
from analysis.settings.sources import Role, Settings, Source, Unit

FIRST_YEAR, LAST_YEAR = 1800, 2199
"""Years in which a study can be."""
SlotName = Literal["campaign", "recommendation", "service", "product", "retention"]
SLOTS: tuple[SlotName, ...] = get_args(SlotName)
"""Parts of a plan, which name an action together with a segment's letter: B.campaign."""
Algorithm = Literal[
    "kmeans",
    "kprototypes",
    "latent_class",
    "mixture",
    "ward",
    "dbscan",
    "hdbscan",
]
Scaling = Literal["standard", "minmax", "robust", "none"]
Transform = Literal["auto", "none", "log"]
Theme = Literal["buying", "rhythm", "products", "channels", "price", "contact", "people", "opinions", "other"]
Meaning = Literal[
    "spend", "basket", "frequency", "recency", "gap", "regularity", "tenure", "trend", "active_months", "refunds",
    "expected_spend", "alive", "items", "breadth", "part", "discount", "visits", "last_visit", "pages", "conversion",
    "support", "newsletter", "response", "complaint", "churn", "default", "income", "age", "children", "partner",
    "company_size", "balance", "debt", "satisfaction", "usage", "opinion", "other",
]  # fmt: skip
Better = Literal["more", "less", "neither"]
Engine = Literal["duckdb", "spark"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
"""What aggregates rows to customers."""
CriterionName = Literal["size", "value", "outlook", "growth", "reachability", "response"]


class Feature(Settings):
    """A feature computed from the columns of a customer.

    ``high`` and ``low`` are the words for a segment far above or below everyone, as a plural noun
    ("wine buyers"); names and stories are made from them.
    """

    label: str = Field(description="Label on the pages.")
    formula: str = Field(description="Formula over the columns of a customer.")
    unit: Unit = Field("number", description="Unit of measurement, which determines the number format.")
    role: Role = Field(
        "feature", description="Whether the feature forms segments, describes them or is an outcome to predict."
    )
    transform: Transform = Field("auto", description="Logarithm; auto applies it to skewed amounts and counts.")
    about: str = Field("", description="One sentence for the pages.")
    high: str = Field("", description='Plural noun for segments far above average: "wine buyers".')
    low: str = Field("", description="Plural noun for segments far below average.")

    @field_validator("formula", mode="before")
    @classmethod
    def _formula_parses(cls, formula: object) -> str:
        return parse(str(formula)).text


class VariableWords(Settings):
    """What a feature or column is about, and how to say it, if the inferred words are not right.

    The phrases continue a sentence that begins with "They": "spend more on wine than others".
    """

    theme: Theme | None = Field(default=None, description="Theme under which the variable appears on persona pages.")
    meaning: Meaning | None = Field(default=None, description="What the variable measures, for sentences and the plan.")
    better: Better | None = Field(default=None, description="For outcomes: whether more or less of it is good.")
    part: str = Field(default="", description='For a share: what it is a share for, such as "wine" or "the website".')
    more: str = Field(default="", description='What a segment far above everyone does: "spend more on wine".')
    less: str = Field(default="", description='What a segment far below everyone does: "rarely order by catalogue".')
    typical: str = Field(default="", description='What a segment close to everyone does: "order as often as others".')


class Reduce(Settings):
    """Dimension reduction before clustering. The linter reports its cost."""

    pca: int = Field(ge=1, le=50, description="Number of principal components.")


class ProofChoices(Settings):
    """Settings of the predictive validation and its RFM benchmark."""

    split: dt.date | Literal["auto"] = Field(
        default="auto", description="Last day of the training period; auto holds out the last third of the time."
    )
    recency: str | None = Field(default=None, description="Time since the last purchase, for RFM cells.")
    frequency: str | None = Field(default=None, description="Number of purchases, for RFM cells.")


class CardChoices(Settings):
    """Facts about the segmentation that cannot be derived from data."""

    purpose: str = Field(default="", description="Purpose of the segments.")
    owner: str = Field(default="", description="Role or team responsible for the segments.")
    valid_until: dt.date | None = Field(
        default=None, description="Last day of use; by default one year after the study date."
    )
    protected: tuple[str, ...] | None = Field(
        default=None, description="Protected attributes for the fairness check; by default recognised by name."
    )


class HistoryChoices(Settings):
    """Choice of the earlier run to compare with."""

    previous: str | None = Field(
        default=None,
        min_length=1,
        description="Record, folder of records or address of a published site; by default the latest local record.",
    )


class NameRule(Settings):
    """A fixed name for a segment, its identity with an earlier segment, or a retired name."""

    called: str | None = Field(
        default=None, min_length=1, description="Name to show. A plain text has the same effect."
    )
    same_as: str | None = Field(default=None, description="Address of the earlier segment that is the same.")
    retired: bool = Field(default=False, description="Whether the name is no longer used.")

    @model_validator(mode="before")
    @classmethod
    def _text_is_a_name(cls, value: object) -> object:
        return {"called": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_three(self) -> NameRule:
        if [self.called is not None, self.same_as is not None, self.retired].count(True) != 1:
            raise ValueError("expected a name, {same_as: <address of an earlier segment>} or {retired: true}")
        return self


class TargetingChoices(Settings):
    """Initial choices of the targeting workshop, which readers can change on the page."""

    weights: dict[CriterionName, Annotated[int, Field(ge=0, le=100)]] = Field(
        default={}, description="Initial weight of each criterion, from 0 to 100."
    )
    response: str | None = Field(
        default=None, description="Yes/no outcome that counts as a response; by default the first one."
    )


class Study(Settings):
    """The whole study. The Methodology page explains the defaults."""

    title: str = Field(min_length=1, description="Name of the study. Runs with the same title are compared.")
    subtitle: str = Field("", description="Subject of the study in one sentence.")
    customers: str = Field("customers", description="Plural noun for the customers, such as members.")
    locale: str = Field(
        "en",
        description="Format of numbers and dates: a BCP-47 tag, such as de, fr-CH or pt-BR. The text is English.",
    )
    currency: str = Field("", description="Symbol or code of the currency; empty if unknown.")
    period: str = Field("", description='Period of amounts and counts, such as "in two years".')
    as_of: dt.date | Literal["auto"] = Field(
        "auto", description="Date of the study; auto is the latest date in the data."
    )
    demo: Literal["none", "twin", "retailer"] = Field(
        "none", description="Synthetic data to use if the sources are missing."
    )
    demo_customers: int | None = Field(
        None, ge=300, le=1_000_000, description="Number of synthetic customers; by default as many as in the original."
    )
    sources: tuple[Source, ...] = Field(min_length=1, description="Tables of the study, joined by customer.")
    features: dict[str, Feature] = Field({}, description="Computed features, by name.")
    variables: dict[str, VariableWords] = Field(
        {}, description="Theme, meaning and phrases of features and columns, by name."
    )
    assumptions: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(
        {},
        description="Rates that the data do not contain and the plan assumes, by name, such as conversion.",
    )
    value: str | None = Field(None, description="Feature or column that says what a customer is worth.")
    segments: int | Literal["auto", "elbow"] = Field(
        "auto", description="How many, from 2 to 20; auto: by the evidence; elbow: that of k-means."
    )
    max_segments: int = Field(8, ge=2, le=20, description="The largest number that the evidence may choose.")
    starts: int = Field(
        3,
        ge=1,
        le=50,
        description="k-means starts of a resampled fit; published fits search longer, too. More are slower.",
    )
    algorithm: Algorithm | Literal["auto"] = Field("auto", description="Which one; auto: they compete.")
    prefer: Literal["stability", "use"] = Field(
        "stability",
        description="Among solutions that tie: the finest, or that which predicts an outcome or later spend best.",
    )
    tiers: Literal["none", "value", "recency"] = Field(
        "none",
        description="Halves of each segment, by what its customers are worth or by when they last bought.",
    )
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
    disclosure: Literal["public", "internal"] = Field(
        "public",
        description="Who may read the site: for the public, numbers are rounded; an internal site states them exactly.",
    )
    min_share: float = Field(0.03, gt=0, lt=0.5, description="Smallest share of customers in a segment.")
    min_customers: int = Field(30, ge=1, description="Fewest customers in a segment.")
    proof: ProofChoices = Field(ProofChoices(), description="How the segments are put to the proof.")
    card: CardChoices = Field(CardChoices(), description="Purpose, owner and fairness check of the segmentation card.")
    targeting: TargetingChoices = Field(TargetingChoices(), description="Initial choices of the targeting workshop.")
    consent: str | None = Field(
        None,
        min_length=1,
        description="Who may be contacted: a yes/no column of the customer source, or a file with their keys.",
    )
    suppress: str | None = Field(
        None,
        min_length=1,
        description="Who must not be contacted, whatever their consent: a column that says so, or a file of keys.",
    )
    names: dict[str, NameRule] = Field(
        {}, description="Fixed, inherited and retired names, by the last part of the segment's address."
    )
    history: HistoryChoices = Field(HistoryChoices(), description="Earlier run to compare with.")
    engine: Engine = Field(
        "duckdb",
        description="What aggregates orders, events, sessions, subscriptions and panels to customers. The numbers are "
        "the same.",
    )
    in_memory: int = Field(
        1_000_000,
        ge=1_000,
        description="Most customers in memory. Of more in Parquet files a sample is, and the engine places everyone.",
    )
    memberships: str | None = Field(
        None,
        min_length=1,
        description="Where the engine writes who is where, if not to build/: a path, an address or a table of Spark.",
    )
    memory: str | None = Field(
        None,
        description="Memory for the engine, such as 3GB; DuckDB writes the rest to build/. By default most is taken.",
    )

    def only(self, *fields: str) -> Study:
        """Return a copy with only these settings; all others have their defaults and all texts are empty."""
        return Study.model_construct(None, title="", sources=(), **{name: getattr(self, name) for name in fields})

    @field_validator("locale")
    @classmethod
    def _locale(cls, value: str) -> str:
        return check_tag(value)

    @field_validator("memory")
    @classmethod
    def _memory(cls, value: str | None) -> str | None:
        if value is not None:
            count_bytes(value)
        return value

    @field_validator("segments", mode="before")
    @classmethod
    def _segments(cls, value: object) -> object:
        if value in ("auto", "elbow") or (isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= 20):
            return value
        raise ValueError(f"{value!r} is not valid; expected auto, elbow or a whole number from 2 to 20")

    @model_validator(mode="after")
    def _a_density_method_takes_no_number(self) -> Study:
        if self.algorithm in ("dbscan", "hdbscan") and self.segments != "auto":
            raise ValueError(
                f"algorithm: {self.algorithm} determines the number of segments itself; set segments: auto"
            )
        return self

    @field_validator("as_of", mode="after")
    @classmethod
    def _date_is_of_our_time(cls, as_of: dt.date | str) -> dt.date | str:
        if isinstance(as_of, dt.date) and not FIRST_YEAR <= as_of.year <= LAST_YEAR:
            raise ValueError(f"{as_of} is out of range; give a year from {FIRST_YEAR} to {LAST_YEAR}")
        return as_of

    @model_validator(mode="after")
    def _weights_are_of_one_table(self) -> Study:
        if len(self.sources) > 1 and any(source.weight for source in self.sources):
            raise ValueError("sources: a weight needs a study of one table; remove it, or the other sources")
        return self

    @model_validator(mode="after")
    def _prototypes_take_categories(self) -> Study:
        if self.algorithm == "kprototypes" and (self.encode != "indicator" or self.reduce):
            raise ValueError(
                "algorithm: kprototypes needs unmodified categories; set encode: indicator and remove reduce"
            )
        return self

    @model_validator(mode="after")
    def _centred_answers_are_the_base(self) -> Study:
        kinds = [source.kind for source in self.sources]
        for i, source in enumerate(self.sources):
            if source.response_style == "centre" and ("customers" in kinds or kinds.index("survey") != i):
                raise ValueError(
                    f"sources[{i}].response_style: centre needs a survey that other sources are joined to; "
                    "remove the customers source, or set keep"
                )
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
                raise ValueError(f"names.{chain[-2]}: '{chain[-1]}' is retired; choose another segment")
        return self

    @model_validator(mode="after")
    def _names_are_free(self) -> Study:
        for name in self.features:
            if not name.isidentifier():
                raise ValueError(f"features: '{name}' is not a valid name; use letters, digits and underscores")
        return self
