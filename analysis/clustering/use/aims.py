"""What a choice among tied solutions is to predict: an outcome, or what customers spend after the split date."""

from __future__ import annotations

import datetime as dt

import numpy as np

from analysis.base.errors import InputError, listed
from analysis.base.formats import Formats
from analysis.base.run import Run
from analysis.clustering.holdout import FEWEST, FEWEST_EACH, Floats, Measure
from analysis.clustering.use.choice import Aim, Early, draw_half
from analysis.customers.assembly import purchases_after
from analysis.customers.periods import settle_date
from analysis.features.build import FeatureTable, Variable
from analysis.features.preparation import Features, prepare_customers
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs, look_back

PLACE = "_quarto.yml, segmentation.prefer"


def settle_aim(inputs: Inputs, study: Study, split: dt.date | None, features: Features, run: Run) -> Aim | None:
    """Settle what tied solutions are to predict; None where stability decides.

    The outcome of ``targeting.response``, or else the first outcome that can be predicted; without any outcome, what
    customers spend after the split date.

    Parameters
    ----------
    inputs : Inputs
    study : Study
    split : date, optional
        Last day of the training period; None without transactions.
    features : Features
        n customers.
    run : Run

    Raises
    ------
    InputError
        Where there is nothing to predict, too few customers have a value, or every outcome is computed from columns
        that form segments.
    """
    if study.prefer != "use":
        return None
    half = draw_half(len(features.table.frame), study.seed)
    if features.built.of("outcome"):
        return _aim_at_outcome(features, study, half)
    if split is None:
        raise InputError(
            f"{PLACE}: use needs something to predict; the study has no outcome and no transactions.",
            "An outcome is a number or a yes/no column that forms no segment, such as the answer to a campaign.",
            "Give such a column the role 'outcome', add dated transactions, or set prefer: stability.",
        )
    return _aim_at_spend(inputs, study, split, features, half, run)


def list_forming(table: FeatureTable) -> frozenset[str]:
    """List the features and the columns that they are made of."""
    return frozenset(name for v in table.of("feature") for name in (v.name, *v.columns))


def measure_of(values: Floats) -> Measure:
    """Return the score of a yes or no, or that of a number."""
    return "auc" if set(np.unique(values[~np.isnan(values)])) <= {0.0, 1.0} else "r2"


def are_enough(values: Floats, min_cell: int) -> bool:
    """Return whether enough customers have a value, and enough of them another than the commonest one."""
    known = values[~np.isnan(values)]
    commonest = np.unique(known, return_counts=True)[1].max(initial=0)
    return len(known) >= FEWEST and len(known) - commonest >= max(FEWEST_EACH, min_cell)


def _aim_at_outcome(features: Features, study: Study, half: np.ndarray) -> Aim:
    forming, frame = list_forming(features.built), features.table.frame
    outcomes = features.built.of("outcome")
    named = [v for v in outcomes if v.name == study.targeting.response]
    refused, too_few = [], []
    for variable in named or outcomes:
        if variable.categorical:
            continue
        if forming & {variable.name, *variable.columns}:
            refused.append(variable)
            continue
        values = frame[variable.name].to_numpy(float)
        if all(are_enough(values[part], study.min_cell) for part in (half, ~half)):
            return Aim(variable.label, measure_of(values), np.where(half, values, np.nan))
        too_few.append(variable)
    raise _refuse(refused, too_few, forming, study)


def _refuse(refused: list[Variable], too_few: list[Variable], forming: frozenset[str], study: Study) -> InputError:
    """Say why no outcome can be used."""
    if too_few:
        each = max(FEWEST_EACH, study.min_cell)
        return InputError(
            f"{PLACE}: too few customers have a value in the outcome '{too_few[0].name}'.",
            f"Each half of the customers needs {FEWEST} with a value, {each} of them other than the commonest.",
            "Name another outcome under targeting.response, or set prefer: stability.",
        )
    if refused:
        shared = sorted(forming & {refused[0].name, *refused[0].columns})
        return InputError(
            f"{PLACE}: the outcome '{refused[0].name}' is computed from columns that form segments: {listed(shared)}.",
            "What forms the segments cannot choose between them.",
            "Name another outcome under targeting.response, or set prefer: stability.",
        )
    return InputError(
        f"{PLACE}: use needs an outcome that is a number or a yes/no column, and all outcomes are text.",
        hint="Give another column the role 'outcome', or set prefer: stability.",
    )


def _aim_at_spend(inputs: Inputs, study: Study, split: dt.date, features: Features, half: np.ndarray, run: Run) -> Aim:
    """Form solutions by what was known at the split, and predict what customers spent after it."""
    as_of = settle_date(inputs.tables, study)
    few = InputError(
        f"{PLACE}: too few customers were known on {split} or bought after it.",
        f"Each half of the customers needs {FEWEST} known by then, {FEWEST_EACH} of them with a purchase after it.",
        "Set another date under proof.split, give a column the role 'outcome', or set prefer: stability.",
    )
    if as_of is None:
        raise few
    if features.customers.population is not None:
        inputs = inputs.among(features.customers.cleaned.keys, study)
    try:
        known = prepare_customers(*look_back(inputs, study, split, FEWEST), run.silent())
    except InputError:
        # What such an error says is about the earlier date, and may name single rows of the data.
        raise few from None
    keys = known.customers.cleaned.keys
    bought = purchases_after(inputs.tables, study, split, as_of).reindex(keys.to_numpy()).fillna(0.0)
    spend = bought["spend"].to_numpy(float)
    chosen = keys.isin(set(features.customers.cleaned.keys[half])).to_numpy()
    if not all(are_enough(spend[part], study.min_cell) for part in (chosen, ~chosen)):
        raise few
    label = f"Spend after {Formats(study.currency, study.customers, study.min_cell).date(split.isoformat())}"
    prepared = known.prepared
    early = Early(np.ascontiguousarray(prepared.matrix), prepared.core, prepared.blocks())
    return Aim(label, "r2", np.where(chosen, spend, np.nan), early)
