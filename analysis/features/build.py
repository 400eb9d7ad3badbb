"""Computation of features from cleaned columns, with formula, label and unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from analysis.base.errors import InputError, did_you_mean, listed
from analysis.base.expressions import parse
from analysis.base.formats import and_more
from analysis.base.weights import Weights
from analysis.customers.cleaning import Cleaned
from analysis.customers.descriptions import Description
from analysis.customers.surveys import find_order
from analysis.settings.models import Feature, Study
from analysis.settings.sources import Role, Source

FEWEST_UNKNOWN = 0.05
"""Share of customers without a value from which not knowing it describes segments too. Chosen for this project."""

NOT_KNOWN = "_not_known"
"""What ends the name of a variable that tells whether others have a value."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What a page needs to know of one variable.

    ``columns`` are the source columns it is made of; ``categorical`` ones hold text levels, from least to most in
    ``order`` where they have one. A feature that the
    selection left out is a descriptor, or has the role ``ignore`` where describing segments by it would mislead.
    """

    name: str
    label: str
    unit: str
    role: Role
    formula: str
    columns: tuple[str, ...]
    about: str
    high: str
    low: str
    transform: Literal["auto", "none", "log"]
    categorical: bool
    order: tuple[str, ...] = ()

    @property
    def is_centred(self) -> bool:
        """Whether it is a survey answer less the respondent's average over the items in ``columns``."""
        return len(self.columns) > 1 and self.columns[0] == self.name


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """One row per customer.

    Attributes
    ----------
    frame : DataFrame, shape (n, variables)
        Numbers as float64 (missing = NaN), categories as text.
    variables : tuple of Variable
        In the order of the columns of ``frame``.
    weights : ndarray of float64, shape (n,), optional
        Survey weights; None where each row counts once.
    """

    frame: pd.DataFrame
    variables: tuple[Variable, ...]
    weights: Weights = None

    def of(self, *roles: str) -> list[Variable]:
        """Return the variables with one of these roles, in order."""
        return [variable for variable in self.variables if variable.role in roles]


def build_features(
    cleaned: Cleaned, source: Source, study: Study, described: Mapping[str, Description] | None = None
) -> FeatureTable:
    """Compute the features of the settings and take over the columns that have a role.

    Raises
    ------
    InputError
        For a formula that names an unknown column, or that gives no numbers.
    """
    columns: dict[str, pd.Series] = {}
    variables: list[Variable] = []
    for name, feature in study.features.items():
        if name in columns or name in cleaned.frame.columns:
            raise InputError(
                f"_quarto.yml, segmentation.features.{name}: the file has a column with the same name.",
                hint="Give the feature another name.",
            )
        columns[name], variable = _derive(name, feature, cleaned)
        variables.append(variable)
    for role in ("feature", "descriptor", "outcome"):
        for column in getattr(source.roles, role):
            columns[column], variable = _take(column, role, source, cleaned.frame[column], study.encode)
            if column in source.centred():
                columns[column], variable = _centre(columns[column], variable, source, cleaned.frame)
            variables.append(_with_words(variable, (described or {}).get(column)))
    for name, (values, variable) in _not_known(cleaned, variables, columns, described or {}, study.min_cell).items():
        columns[name] = values
        variables.append(variable)
    if not any(variable.role == "feature" for variable in variables):
        raise InputError(
            "_quarto.yml, segmentation: no variable has the role 'feature'.",
            "Segmentation needs at least one.",
            "Add columns to sources[0].roles.feature, or features with a formula.",
        )
    return FeatureTable(pd.DataFrame(columns), tuple(variables), cleaned.weights)


def _derive(name: str, feature: Feature, cleaned: Cleaned) -> tuple[pd.Series, Variable]:
    place = f"_quarto.yml, segmentation.features.{name}.formula"
    expression = parse(feature.formula)
    known = {str(column): cleaned.frame[column] for column in cleaned.frame}
    absent = [column for column in expression.names if column not in known and column != "as_of"]
    if absent:
        raise InputError(
            f"{place}: column '{absent[0]}' is not in the data.",
            f'The formula is "{feature.formula[:100]}".',
            did_you_mean(absent[0], known) or "Correct the name.",
        )
    if "as_of" in expression.names and cleaned.as_of is None:
        raise InputError(
            f"{place}: 'as_of' has no value because the data contains no date.",
            hint="Set segmentation.as_of to a date.",
        )
    try:
        values = expression({**known, "as_of": pd.Timestamp(cleaned.as_of or 0)})
        numbers = _as_numbers(values)
    except (TypeError, ValueError, AttributeError) as error:
        why = _explain(error, [known[column] for column in expression.names if column in known])
        raise InputError(
            f"{place}: cannot be computed: {why}.",
            "Arithmetic needs numbers; year() and days() need dates.",
            "Check the column types on the Data dictionary page, or set them under sources[0].types.",
        ) from None
    variable = Variable(
        name=name,
        label=feature.label,
        unit=feature.unit,
        role="feature" if feature.role == "ignore" else feature.role,
        formula=feature.formula,
        columns=tuple(column for column in expression.names if column != "as_of"),
        about=feature.about,
        high=feature.high,
        low=feature.low,
        transform=feature.transform,
        categorical=False,
    )
    return numbers.rename(name), variable


def _explain(error: Exception, columns: list[pd.Series]) -> str:
    """Why a formula cannot be computed: which of its columns hold text or nothing, else what the language says."""
    empty = [str(values.name) for values in columns if values.isna().all()]
    typed = (pd.api.types.is_numeric_dtype, pd.api.types.is_bool_dtype, pd.api.types.is_datetime64_any_dtype)
    texts = [str(v.name) for v in columns if str(v.name) not in empty and not any(test(v) for test in typed)]
    for names, what in ((empty, "no value in any row"), (texts, "text")):
        if names:
            one = len(names) == 1
            return f"column{'' if one else 's'} {listed(map(repr, names), 4)} hold{'s' if one else ''} {what}"
    if "cannot be converted" in str(error):
        return "it gives a date, not a number"
    return str(error).rpartition("cannot be computed: ")[2].rstrip(".")


def _take(column: str, role: str, source: Source, values: pd.Series, encode: str) -> tuple[pd.Series, Variable]:
    """A column with a role, as it stands; ``label`` numbers the levels of a feature in alphabetical order."""
    if encode == "label" and role == "feature" and not pd.api.types.is_numeric_dtype(values):
        values = values.astype("category").cat.codes.astype(float).where(values.notna())
    coded = source.units.get(column) == "category"
    numeric = not coded and _is_number(values)
    if role == "feature" and not numeric and (encode != "indicator" or values.isna().all()):
        raise InputError(
            f"_quarto.yml, segmentation.sources[0].roles.feature: column '{column}' contains "
            + ("text, not numbers." if values.notna().any() else "no value in any row."),
            "Features must be numbers or yes/no answers.",
            f'Make it a descriptor, compute a feature such as is_in({column}, "..."), or set encode: indicator.',
        )
    unit = source.units.get(column)
    if unit is None:
        two_valued = numeric and set(values.dropna().unique()) <= {0, 1}
        unit = "category" if not numeric else "yes_no" if two_valued else "number"
    variable = Variable(
        name=column,
        label=source.labels.get(column, column),
        unit=unit,
        role=role,  # type: ignore[arg-type]
        formula=column,
        columns=(column,),
        about="",
        high="",
        low="",
        transform="auto",
        categorical=not numeric,
    )
    if numeric:
        return _as_numbers(values), variable
    texts = _as_levels(values)
    there = tuple(sorted(set(texts.dropna())))
    order = tuple(level for level in source.ordered.get(column, ()) if level in there) or find_order(there)
    return texts, replace(variable, order=order)


def _centre(values: pd.Series, variable: Variable, source: Source, frame: pd.DataFrame) -> tuple[pd.Series, Variable]:
    """An answer less the respondent's average over the items that were answered."""
    items = source.centred()
    texts = [item for item in items if source.units.get(item) == "category" or not _is_number(frame[item])]
    if texts:
        raise InputError(
            f"_quarto.yml, segmentation.sources[0].response_style: column '{texts[0]}' is a category.",
            "Only numbers and yes/no answers have an average that can be taken from them.",
            "Name the items with numbers under battery, or set response_style: keep.",
        )
    answers = pd.DataFrame({item: _as_numbers(frame[item]) for item in items})
    return values - answers.mean(axis=1), replace(
        variable,
        label=f"{variable.label} (against own average)",
        unit="number",
        formula=f"{variable.name} - average of the respondent's answers to {len(items)} items",
        columns=tuple(dict.fromkeys((variable.name, *items))),
        about="The answer less the respondent's average over the items, which takes out a habit of agreeing.",
        transform="none",
    )


def _not_known(
    cleaned: Cleaned,
    variables: list[Variable],
    columns: Mapping[str, pd.Series],
    described: Mapping[str, Description],
    min_cell: int,
) -> dict[str, tuple[pd.Series, Variable]]:
    """A yes/no descriptor for what many customers' data do not tell; one for all variables that lack the same ones.

    What is computed from transactions or events, or divides by nothing, has no value because nothing happened:
    counts say that already.
    """
    groups: dict[bytes, list[tuple[pd.Series, Variable]]] = {}
    for variable in variables:
        computed = {variable.name, *variable.columns} & set(described)
        if variable.categorical or variable.role == "outcome" or computed:
            continue
        sources = [column for column in variable.columns if column in cleaned.frame.columns]
        gone = columns[variable.name].isna() & cleaned.frame[sources].isna().any(axis=1)
        if min(gone.sum(), (~gone).sum()) >= min_cell and gone.mean() >= FEWEST_UNKNOWN:
            groups.setdefault(gone.to_numpy().tobytes(), []).append((gone, variable))
    unknown = {}
    for same in groups.values():
        gone, first = same[0]
        name = f"{first.name}{NOT_KNOWN}"
        if name in columns:
            continue
        unknown[name] = (
            gone.astype(float),
            Variable(
                name=name,
                label=f"{and_more([v.label for _, v in same])}: not known",
                unit="yes_no",
                role="descriptor",
                formula=f"no value of {and_more([v.name for _, v in same])}",
                columns=tuple(dict.fromkeys(c for _, v in same for c in v.columns)),
                about="The data have no value there; shows whether a segment is one of missing answers.",
                high="",
                low="",
                transform="auto",
                categorical=False,
            ),
        )
    return unknown


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)


def _as_numbers(values: pd.Series) -> pd.Series:
    """Float64 with NaN for missing; infinities count as missing."""
    if not isinstance(values, pd.Series):
        raise ValueError("the formula uses no column")
    numbers = values.astype("Float64").astype("float64")
    return numbers.where(numbers.abs() < float("inf"))


def _with_words(variable: Variable, text: Description | None) -> Variable:
    """The words of a column that was computed from transactions or events."""
    if text is None:
        return variable
    return replace(variable, formula=text.formula, columns=text.columns, about=text.about, high=text.high, low=text.low)


def _as_levels(values: pd.Series) -> pd.Series:
    """Text levels with None for missing; whole numbers lose their decimal point."""
    if pd.api.types.is_float_dtype(values):
        values = values.astype("Int64") if bool((values.dropna() % 1 == 0).all()) else values
    return values.astype("str").astype("object").where(values.notna(), None)
