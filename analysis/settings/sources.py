"""Settings of a source, each with its type, bounds and description."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal["customers", "transactions", "survey", "events", "sessions", "subscriptions", "panel"]
ROW_KINDS: frozenset[Kind] = frozenset({"transactions", "events", "sessions", "subscriptions", "panel"})
"""Kinds of sources with several rows for a customer."""
Role = Literal["feature", "descriptor", "outcome", "ignore"]
Unit = Literal["money", "count", "share", "days", "years", "yes_no", "number", "category"]


class Settings(BaseModel):
    """Base class of all settings: unknown keys are errors, and values are read-only."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Roles(Settings):
    """Roles of the columns of a source. Columns without a role are available to formulas only."""

    feature: tuple[str, ...] = Field(default=(), description="Columns that form the segments.")
    descriptor: tuple[str, ...] = Field(
        default=(), description="Columns that describe the segments without forming them."
    )
    outcome: tuple[str, ...] = Field(
        default=(), description="Columns that describe the segments and that they should predict."
    )
    ignore: tuple[str, ...] = Field(default=(), description="Columns to leave out of charts and summaries.")

    @model_validator(mode="after")
    def _one_role_each(self) -> Roles:
        seen: dict[str, str] = {}
        for role in get_args(Role):
            for column in getattr(self, role):
                if column in seen:
                    raise ValueError(f"column '{column}' has two roles, {seen[column]} and {role}; remove one")
                seen[column] = role
        return self


class RowColumns(Settings):
    """Meaning of the columns of sources with several rows for a customer."""

    customer: str | None = Field(default=None, description="Customer of the row, the same key as in other sources.")
    date: str | None = Field(
        default=None, description="Date, or date and time. Subscriptions: start. Panel: month, quarter or year."
    )
    amount: str | None = Field(
        default=None,
        description="Transactions: amount paid; a negative amount is a refund. Subscriptions: price of one period.",
    )
    price: str | None = Field(
        default=None, description="Transactions: price of one item, where no column has the amount; needs quantity."
    )
    order: str | None = Field(
        default=None, description="Transactions: order number. Without it, the rows of one day are one order."
    )
    quantity: str | None = Field(default=None, description="Transactions: number of items.")
    category: str | None = Field(default=None, description="Transactions: product category, for shares of spending.")
    channel: str | None = Field(default=None, description="Transactions: sales channel, for shares of spending.")
    session: str | None = Field(
        default=None, description="Events: session number. Without it, a long pause ends a session."
    )
    event: str | None = Field(default=None, description="Events: type of event, such as a page view or a purchase.")
    pages: str | None = Field(default=None, description="Sessions: number of pages, clicks or actions.")
    duration: str | None = Field(default=None, description="Sessions: how long the session lasted.")
    end: str | None = Field(default=None, description="Subscriptions: end; without one, the subscription is active.")
    status: str | None = Field(default=None, description="Subscriptions: whether it is active or has ended.")
    plan: str | None = Field(default=None, description="Subscriptions: plan, product or rate.")

    @model_validator(mode="before")
    @classmethod
    def _name_amount(cls, given: Any) -> Any:
        """The amount of a price and a quantity is a column that is computed when the file is read."""
        if not isinstance(given, dict) or not given.get("price"):
            return given
        if not given.get("quantity"):
            raise ValueError("price needs the column of the quantity; set quantity, or set amount in place of price")
        computed = f"{given['price']} × {given['quantity']}"
        if given.get("amount") not in (None, computed):
            raise ValueError("amount and price are both set; remove one of them")
        return {**given, "amount": computed}


class Source(Settings):
    """A table of the study and how to read it."""

    path: str = Field(
        min_length=1, description="File relative to the project folder, a pattern of files, or an address."
    )
    kind: Kind = Field("customers", description="Content of a row.")
    key: str | None = Field(None, description="Column that identifies the customer; by default the row number.")
    weight: str | None = Field(
        None, description="Survey weight: the column that says how many people of the population a row stands for."
    )
    repeats: Literal["refuse", "first", "last", "newest", "sum"] = Field(
        "refuse",
        description="Rows with one key: refused, or the first, last or newest is kept; sum adds amounts and counts up.",
    )
    columns: RowColumns = Field(RowColumns(), description="Meaning of the columns, where a customer has several rows.")
    roles: Roles = Field(Roles(), description="Roles of the columns.")
    labels: dict[str, str] = Field({}, description="Labels on the pages, by column.")
    units: dict[str, Unit] = Field({}, description="Unit of a column, if it cannot be inferred from the data.")
    types: dict[str, Literal["number", "date", "category", "boolean", "text"]] = Field(
        {}, description="Type of a column, if it should not be inferred."
    )
    merge: dict[str, dict[str, str]] = Field({}, description="Categories to merge, by column: old spelling to new.")
    ordered: dict[str, tuple[str, ...]] = Field(
        {}, description="Order of the answers, from lowest to highest, by column, if it is not recognised."
    )
    plausible: dict[str, tuple[float | None, float | None]] = Field(
        {}, description="Lowest and highest plausible value, by column; ~ for no limit."
    )
    dates: Literal["auto", "day-first", "month-first", "iso"] = Field(
        "auto", description="Order of day, month and year in text; auto infers it from the column."
    )
    decimal: Literal["auto", ".", ","] = Field("auto", description="Decimal mark; auto infers it from the file.")
    delimiter: str = Field("auto", description="Column delimiter of a text file; auto infers it from the file.")
    encoding: str = Field("auto", description="Encoding of a text file, such as utf-8; auto infers it from the file.")
    totals: tuple[str, ...] = Field(
        (), description="Panel: columns to add up over the periods; inferred by default, such as revenue and visits."
    )
    balances: tuple[str, ...] = Field(
        (), description="Panel: columns whose latest value counts; inferred by default, such as balances and scores."
    )
    battery: tuple[str, ...] = Field(
        (), description="Survey items on the same scale; by default those that form the segments."
    )
    response_style: Literal["keep", "centre"] = Field(
        "keep",
        description="Survey: take answers as given, or less each respondent's average over the items (centre).",
    )
    origin: str = Field("", description="Where others can get the file.")
    sheet: str | int | None = Field(None, description="Sheet of a workbook: name, or number starting at 0.")
    query: str | None = Field(None, description="Table name or SQL query, if the path is a database.")
    header: bool | None = Field(None, description="Whether the first line contains column names; inferred by default.")
    names: tuple[str, ...] | None = Field(None, description="Column names for a file without a header.")
    leave_out: dict[str, tuple[str, ...]] = Field(
        {}, description="Rows to leave out: values by column, such as the status of cancelled orders."
    )

    @model_validator(mode="after")
    def _weight_is_of_people(self) -> Source:
        if self.weight is None:
            return self
        if self.kind in ROW_KINDS:
            raise ValueError(f"weight: {self.kind} have several rows for a customer; a survey weight has one")
        role = next((role for role in get_args(Role) if self.weight in getattr(self.roles, role)), None)
        used = "key" if self.weight == self.key else "battery" if self.weight in self.battery else role
        if used and used != "ignore":
            raise ValueError(f"weight: column '{self.weight}' is also the {used}; remove one of them")
        return self

    @field_validator("plausible")
    @classmethod
    def _low_to_high(cls, ranges: dict[str, tuple[float | None, float | None]]) -> object:
        for column, (low, high) in ranges.items():
            if low is not None and high is not None and low > high:
                raise ValueError(f"'{column}': {low:g} is above {high:g}; write the lower bound first")
        return ranges

    @model_validator(mode="after")
    def _answers_are_centred_in_a_survey(self) -> Source:
        if self.response_style == "centre" and self.kind != "survey":
            raise ValueError(f"response_style: centre needs kind: survey, not {self.kind}")
        return self

    def centred(self) -> tuple[str, ...]:
        """List the survey items from which each respondent's average is taken; none where answers stay as given."""
        return (self.battery or self.roles.feature) if self.response_style == "centre" else ()

    def named_columns(self) -> tuple[str, ...]:
        """List every column in these settings once, key and weight first."""
        named = [column for column in (self.key, self.weight) if column]
        named += [column for column in self.columns.model_dump().values() if column]
        named += (*self.totals, *self.balances, *self.battery)
        for role in get_args(Role):
            named += getattr(self.roles, role)
        for part in (self.labels, self.units, self.types, self.merge, self.ordered, self.plausible):
            named += part
        return tuple(dict.fromkeys(named))
