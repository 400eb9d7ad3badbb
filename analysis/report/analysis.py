"""All that one run found, by the question that each part answers."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.assignment.methods import Assignment
from analysis.clustering.evidence import Evidence
from analysis.clustering.judgement import Robustness
from analysis.clustering.use.tiers import Tiers
from analysis.clustering.usefulness import Usefulness
from analysis.customers.gathering import Customers
from analysis.features.preparation import Features
from analysis.features.summary import DataSummary
from analysis.segments.description import Segments
from analysis.settings.models import Study
from analysis.sources.inputs import Inputs


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the stages gave, in their order.

    Attributes
    ----------
    study : Study
        The settings, completed by what the tables hold.
    inputs : Inputs
        Tables as read.
    customers : Customers
        One row each, joined and cleaned.
    features : Features
        What they are clustered by.
    data : DataSummary
        What came in, in figures that may be published.
    evidence : Evidence
        Labels, and what speaks for and against them.
    robustness : Robustness
        How much the labels depend on choices.
    assignment : Assignment
        How a new customer gets a label.
    usefulness : Usefulness
        What the labels predict.
    segments : Segments
        What is said of them.
    tiers : Tiers, optional
        Halves of the segments.
    """

    study: Study
    inputs: Inputs
    customers: Customers
    features: Features
    data: DataSummary
    evidence: Evidence
    robustness: Robustness
    assignment: Assignment
    usefulness: Usefulness
    segments: Segments
    tiers: Tiers | None = None
