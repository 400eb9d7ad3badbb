"""What came in and what was found in it, for the pages about the data."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.base.disclosure import Disclosure
from analysis.base.run import Run
from analysis.features.column_summary import ColumnSummary, Missingness, find_missing_together, summarise_columns
from analysis.features.preparation import Features
from analysis.features.provenance import SourceSummary, summarise_sources
from analysis.features.relations import Relations, associate, correlate
from analysis.settings.models import Study


@dataclass(frozen=True, slots=True)
class DataSummary:
    """The data in figures that stand for enough customers each.

    Attributes
    ----------
    sources : tuple of SourceSummary
    columns : tuple of ColumnSummary
    missingness : Missingness
    correlations, associations : Relations
        Among numbers, and among categories and yes/no variables.
    """

    sources: tuple[SourceSummary, ...]
    columns: tuple[ColumnSummary, ...]
    missingness: Missingness
    correlations: Relations
    associations: Relations


def summarise_data(features: Features, study: Study, run: Run) -> DataSummary:
    """Summarise sources, columns, missing values and how variables go together."""
    customers, table = features.customers, features.built
    inputs, assembled = customers.inputs, customers.assembled
    rules = Disclosure.of(study)
    with run.stage("Summarise data"):
        return DataSummary(
            summarise_sources(inputs.tables, study, assembled.joined, inputs.notes),
            summarise_columns(assembled.raw, customers.cleaned, assembled.source, rules, inputs.reasons),
            find_missing_together(assembled.raw, assembled.source, study.min_cell),
            correlate(table),
            associate(table, study.min_cell),
        )
