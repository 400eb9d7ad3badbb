"""From tables to the matrix of the algorithms, in one call that every stage which repeats it uses."""

from __future__ import annotations

from dataclasses import dataclass

from numpy import float64
from numpy.typing import NDArray

from analysis.base.run import Run
from analysis.customers.gathering import Customers, gather_customers
from analysis.features.build import FeatureTable, build_features
from analysis.features.checks import check_features
from analysis.features.prepare import Prepared, apply_steps, prepare
from analysis.features.select import settle_roles
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Features:
    """What customers are clustered by.

    Attributes
    ----------
    customers : Customers
    built : FeatureTable
        n customers, with the roles of the settings.
    table : FeatureTable
        The same, with the roles that the selection of features left.
    prepared : Prepared
        The matrix, shape (n, p) or (n, q) where it is reduced, and the steps that made it.
    scaled : ndarray of float64, shape (n, p)
        Scaled features before any reduction.
    """

    customers: Customers
    built: FeatureTable
    table: FeatureTable
    prepared: Prepared
    scaled: NDArray[float64]

    @property
    def before_reduction(self) -> NDArray[float64] | None:
        """Scaled features where the matrix is a reduction of them, else None."""
        return self.scaled if self.prepared.axes is not None else None


def prepare_customers(inputs: Inputs | Features, study: Study, run: Run) -> Features:
    """Join and clean the tables, build features, and select and scale those that form segments.

    Parameters
    ----------
    inputs : Inputs or Features
        Tables as read; or features of customers who are known already, of which some may be left out: those are
        selected and scaled again under other settings.
    study : Study
    run : Run

    Raises
    ------
    InputError
        For tables, formulas or settings that do not fit together, too few customers, or no feature that varies.
    """
    if isinstance(inputs, Features):
        return _prepare(inputs.customers, inputs.table, study)
    customers = gather_customers(inputs, study, run)
    with run.stage("Build features"):
        table = build_features(customers.cleaned, customers.source, study, customers.assembled.described)
        # What was known on an earlier day need not hold all that the settings ask of the study.
        if inputs.until is None:
            check_features(study, table)
        return _prepare(customers, table, study)


def _prepare(customers: Customers, table: FeatureTable, study: Study) -> Features:
    prepared = prepare(table, study)
    settled = settle_roles(table, prepared.dropped)
    return Features(customers, table, settled, prepared, apply_steps(settled.frame, prepared.steps))
