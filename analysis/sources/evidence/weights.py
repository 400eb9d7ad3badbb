"""Survey weights: the column that says how many people of the population a row stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.sources.columns import Column
from analysis.sources.names import split_words, vocabulary, words_of
from analysis.sources.tables import RawTable

WEIGHT_STARTS = ("gewichtung", "ponderat", "ponderac", "ponderaz", "ponderador", "weeg", "weging")
WEIGHT = vocabulary("weight weights wt wgt gewicht poids peso pesi gew pond ponder")
"""Words for the weight of anything."""
SURVEY_WEIGHT = vocabulary(
    "fexp factorexp facexp factorexpansion factordeexpansion fatorexpansao fatordeexpansao expansionfactor expfactor",
    "hochrechnungsfaktor hochrechnung redressement coefredressement coefficientediriporto coefriporto pesocampionario",
    "fnlwgt finalwgt finalwt finalweight sampwt samplewt sampweight surveywt svywt wtsurvey wtsvy wtssall wtfinl",
    "pspwght pspwgt dweight anweight pweight pweights fweight perwt hhwt asecwt llcpwt wtmec wtint rakewt rakedweight",
    "wtmecyr wtintyr steekproefgewicht personengewicht haushaltsgewicht designgewicht anpassungsgewicht",
)
"""Names of survey weights, and of the files of large surveys."""
SURVEY_WEIGHT_STARTS = ("wtmec", "wtint", "wtss", "hochrechn", "umfragegewicht", "steekproefgew")
WEIGHT_OF = vocabulary(
    "survey sample sampling design poststratification stratification poststrat raking raked calibrated calibration",
    "respondent nonresponse expansion population analysis sondage echantillon enquete encuesta muestra muestral",
    "amostra amostral campione campionario umfrage stichprobe befragung hochrechnung steekproef enquete factor faktor",
    "facteur fattore fator coef coefficient coeficiente coefficiente statistical probability inverse normalized",
)
"""Words that make a survey weight of a weight."""
BODY = vocabulary(
    "height bmi grosse korpergrosse taille estatura altura altezza lengte waist hip body cm width depth",
    "dimension dimensions mpg horsepower calories diet",
)
"""Words of columns beside which a weight is that of a body or a thing."""
SUBSTANCE = vocabulary(
    "kg kgs lb lbs gram grams gr body product parcel package height loss gain birth net gross shipping item tare goal",
    "target ideal korper produkt paket corporel corporal corpo produit colis producto paquete produto prodotto pacco",
    "lichaam lichaamsgewicht korpergewicht pakket",
)
NEAR_ONE, NEAR_ONE_OF_SURVEYS = 0.02, 0.15
"""Distance of the mean from 1 up to which numbers called weight, and nothing more, are survey weights: those of a full
sample are scaled to a mean of 1, and a part of the sample lies near it. Chosen for this project."""
LARGEST_LEFT_OUT = 50
"""Numbers called weight that stay below this are no weights of bodies. Chosen for this project."""
AS_WEIGHT = "a survey weight: how many people the row stands for"
ONE_OF_SEVERAL = "one of several survey weights: set weight to the one to use"
UNSURE = "may be a weight of the row, so it is left out: set weight to use it, or give it a role"


def find_weights(table: RawTable, survey: bool) -> Mapping[str, tuple[str, str]]:
    """Find the survey weight among the columns of a table with one row for each customer.

    Parameters
    ----------
    table : RawTable
    survey : bool
        Whether its rows are the answers of respondents.

    Returns
    -------
    mapping of str to (str, str)
        By column, its role, weight or ignore, and why. One column at most has the role weight: where several may be
        it, none has.
    """
    sure = [column.name for column in table.columns if is_sure_weight(table, column)]
    likely = [column.name for column in table.columns if _is_likely(table, column, survey)]
    found = sure or likely
    if len(found) == 1:
        return {found[0]: ("weight", AS_WEIGHT)}
    return dict.fromkeys(found, ("ignore", ONE_OF_SEVERAL))


def is_sure_weight(table: RawTable, column: Column) -> bool:
    """Return whether name and values leave no doubt that a column is a survey weight."""
    return names_survey_weight(column.name) and _may_weigh(table, column)


def may_be_weight(table: RawTable, column: Column) -> bool:
    """Return whether numbers called weight may be those of rows, where nothing else says so."""
    values: Any = table.frame[column.name]
    return (
        _is_called_weight(table, column)
        and column.type == "number"
        and bool(values.min() >= 0)
        and bool(values.max() < LARGEST_LEFT_OUT)
        and _has_fractions(values)
    )


def names_survey_weight(name: str) -> bool:
    """Return whether a name is that of survey weights alone: bodies and products have none of that name.

    >>> [names_survey_weight(name) for name in ("fnlwgt", "Gewichtungsfaktor", "sample weight", "factor de expansión")]
    [True, True, True, True]
    >>> [names_survey_weight(name) for name in ("Weight", "weight_kg", "peso", "package weight", "ponderosity")]
    [False, False, False, False, False]
    """
    words = words_of(name)
    if words & SUBSTANCE:
        return False
    if words & SURVEY_WEIGHT or any(word.startswith((*SURVEY_WEIGHT_STARTS, *WEIGHT_STARTS)) for word in words):
        return True
    parts = {word.rstrip("s") for word in words}
    return bool(parts & WEIGHT_OF) and bool(words & WEIGHT)


def _is_called_weight(table: RawTable, column: Column) -> bool:
    """Whether the name is that of a weight, and neither it nor another says that it is one of a body or a thing."""
    words = words_of(column.name)
    return bool(words & WEIGHT) and not words & SUBSTANCE and not any(BODY & words_of(c.name) for c in table.columns)


def _is_likely(table: RawTable, column: Column, survey: bool) -> bool:
    """Whether numbers are called weight, whatever of, and are scaled as survey weights are."""
    if not _is_called_weight(table, column) or len(split_words(column.name)) > 2 or not _may_weigh(table, column):
        return False
    values: Any = table.frame[column.name]
    near = NEAR_ONE_OF_SURVEYS if survey else NEAR_ONE
    return _has_fractions(values) and abs(float(values.mean()) - 1) <= near


def _may_weigh(table: RawTable, column: Column) -> bool:
    """Whether a column holds numbers that vary and of which none is negative; as they are, none is a code."""
    if column.type not in ("number", "key") or column.n_distinct < 2 or column.n_missing > 0.5 * table.n_rows:
        return False
    values: Any = table.frame[column.name]
    return values.dtype in (np.int64, np.float64) and bool(values.min() >= 0)


def _has_fractions(values: Any) -> bool:
    numbers = values.dropna().to_numpy(np.float64)
    return bool((numbers != np.floor(numbers)).any())
