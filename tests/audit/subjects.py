"""Every subject of the audit in order, and what the audit does not cover."""

from __future__ import annotations

from collections.abc import Callable

from tests.audit import (
    columns,
    descriptors,
    evidence,
    fairness,
    lifetime,
    matrix,
    overview,
    persona_pages,
    plans,
    printed_evidence,
    printed_tables,
    profiles,
    resampling,
    rules,
    shapes,
    sizes,
    spread,
    usefulness,
)
from tests.audit.comparison import Audit
from tests.audit.customers import Study

Subject = Callable[[Study, Audit], None]

QUICK: tuple[Subject, ...] = (
    sizes.audit_sizes,
    sizes.audit_weights,
    sizes.audit_concentration,
    sizes.audit_rfm,
    sizes.audit_ledger,
    sizes.audit_joins,
    columns.audit_columns,
    columns.audit_missing,
    profiles.audit_everyone,
    profiles.audit_differences,
    profiles.audit_categories,
    descriptors.audit_contrasts,
    descriptors.audit_correlations,
    lifetime.audit_lifetime,
    matrix.audit_steps,
    evidence.audit_published_solution,
    evidence.audit_directions,
    evidence.audit_tree,
    shapes.audit_shapes,
    spread.audit_distributions,
    spread.audit_planes,
    rules.audit_rules,
    fairness.audit_fairness,
    usefulness.audit_tiers,
    printed_tables.audit_presence,
    printed_tables.audit_tables,
    overview.audit_overview,
    overview.audit_data_tiles,
    persona_pages.audit_personas,
    plans.audit_plans,
    printed_evidence.audit_more_tables,
)
"""What takes seconds and runs with the tests."""

SLOW: tuple[Subject, ...] = (
    evidence.audit_kmeans,
    evidence.audit_mixture,
    resampling.audit_gap,
    resampling.audit_prediction_strength,
    resampling.audit_stability,
    resampling.audit_clouds,
    usefulness.audit_usefulness,
)
"""What searches or draws anew and takes minutes."""

NOT_COVERED = (
    "Whether the decision follows its rule from the evidence; the verdict; permuted nulls.",
    "Stability of algorithms other than k-means, and of k-means far from the decided number of segments.",
    "The chain of solutions (entropies and origins), stability of Ward's own groups, noise of density methods.",
    "What other choices would have given (the multiverse), and which features were left out as noise or near-copies.",
    "Ends of intervals over refits and the certainty of markers: simulations hold them to the truth.",
    "What the models of lifetime value expected of the past and what came; shares reached by the best groups.",
    "Segments formed anew before a split in time; scores of the purchase model, of random splits; intervals of scores.",
    "The persona finder's questions, the workshop's scores, and the share guessed right without behaviour.",
    "What changed since the run before: each study is built once here.",
    "The cells of the picture of groups of another shape; their return in samples of the customers.",
    "The page on trials with known groups, which is made from a stored file of results.",
    "Pictures: what charts draw is held to their tables, which are compared; alternative texts and titles of charts.",
    "Choice of words that names, stories and findings are made of; findings of the linter.",
    "Briefs as PDF, segments.json and its schema; data with categories that form segments, weights, or reduced axes.",
    "Means and quantiles under survey weights: tests/studies/test_weights.py holds them to those of repeated rows.",
)
"""What no line of the audit computes."""


def run(study: Study, quick: bool = False) -> Audit:
    """Audit a study: everything, or only what takes seconds."""
    audit = Audit(study.name)
    # Searches come first: pages print what they find.
    for subject in QUICK if quick else (*SLOW, *QUICK):
        subject(study, audit)
    return audit
