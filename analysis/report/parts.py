"""Types of the report that pages import."""

from __future__ import annotations

from analysis.assignment.rules import Centres
from analysis.assignment.trees import Bound, Node, Part
from analysis.clustering.choices import Choice
from analysis.clustering.selection import AlgorithmEvidence, CandidateEvidence
from analysis.clustering.shapes import ShapeCell, Shapes
from analysis.clustering.solutions import Level, Neighbour, Reach
from analysis.clustering.use.verdicts import Score, Target
from analysis.features.binning import Bar
from analysis.features.build import Variable
from analysis.features.column_summary import ColumnSummary, MissingPattern
from analysis.features.prepare import Step
from analysis.features.relations import Relations
from analysis.past.records import Change, Flow, Identity, Interval, SegmentChange
from analysis.profiles.distributions import Bin, Plane
from analysis.profiles.profile import CategoryProfile, Difference, Summary
from analysis.profiles.value import PastForecast
from analysis.report.speed import Aggregation, Build, Placing, Speed
from analysis.report.trials import Example, Planted, Rate, Validation
from analysis.segments.plans.experiments import Design
from analysis.segments.plans.plan import Slot
from analysis.segments.targeting import Criterion, Targeting

__all__ = [
    "Aggregation",
    "AlgorithmEvidence",
    "Bar",
    "Bin",
    "Bound",
    "Build",
    "CandidateEvidence",
    "CategoryProfile",
    "Centres",
    "Change",
    "Choice",
    "ColumnSummary",
    "Criterion",
    "Design",
    "Difference",
    "Example",
    "Flow",
    "Identity",
    "Interval",
    "Level",
    "MissingPattern",
    "Neighbour",
    "Node",
    "Part",
    "PastForecast",
    "Placing",
    "Plane",
    "Planted",
    "Rate",
    "Reach",
    "Relations",
    "Score",
    "SegmentChange",
    "ShapeCell",
    "Shapes",
    "Slot",
    "Speed",
    "Step",
    "Summary",
    "Target",
    "Targeting",
    "Validation",
    "Variable",
]
