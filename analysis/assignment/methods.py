"""How a customer gets a segment: in rules that can be read, in few questions, and as a model that scores new ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.assignment.model import Model, make_model
from analysis.assignment.population import Counts, EngineRule, write_rule
from analysis.assignment.questions import Questions, find_questions
from analysis.assignment.rounding import Rounded, round_rule
from analysis.assignment.rules import Rules, find_rules
from analysis.base.run import Run
from analysis.clustering.algorithms import Fit, segment_means
from analysis.clustering.evidence import Evidence
from analysis.clustering.use.tiers import find_tiers
from analysis.features.preparation import Features
from analysis.settings.models import Study


@dataclass(frozen=True, slots=True)
class Assignment:
    """Three ways to place a customer.

    Attributes
    ----------
    rules : Rules
    model : Model
        Private.
    questions : Questions, optional
        None where there is one segment.
    everyone : EngineRule, optional
        What places all customers, where those that are held are a sample; else None.
    counts : Counts, optional
        All customers by segment, in the same case.
    """

    rules: Rules
    model: Model
    questions: Questions | None
    everyone: EngineRule | None = None
    counts: Counts | None = None


def _by_rule(rounded: Rounded, evidence: Evidence) -> Fit:
    """The published rule; of latent classes with their means, too, from which the distance of a customer is taken."""
    fit = evidence.fit
    if fit.classes is None:
        return Fit(rounded.centres)
    means = segment_means(rounded.prepared.matrix, evidence.labels, fit.k)
    return Fit(means, classes=replace(fit.classes, points=rounded.centres))


def find_assignment(features: Features, evidence: Evidence, study: Study, run: Run) -> Assignment:
    """Find rules and questions that place customers as the study did, and keep what scores new ones."""
    customers, table, prepared = features.customers, features.table, features.prepared
    assembled, cleaned = customers.assembled, customers.cleaned
    with run.stage("Find rules"):
        rounded = round_rule(table.frame, prepared, evidence, study)
        key = (customers.inputs.mark(study), evidence.labels, evidence.fit.k)
        rules = run.cached_by(key, find_rules)(table, rounded, evidence, study, cleaned, assembled)
        exact = rules.centres is not None and rules.centres.exact
        formed, fit = (rounded.prepared, _by_rule(rounded, evidence)) if exact else (prepared, evidence.fit)
        tiers = find_tiers(table, evidence.labels, study)
        sources, rule = customers.inputs.tables, tiers.rule if tiers else None
        model = make_model(study, sources, assembled, cleaned, formed, fit, evidence.labels, rule)
        questions = find_questions(table, rounded, evidence, rules, study, cleaned, model)
    everyone = write_rule(features, evidence, rules, tiers)
    if everyone is None:
        return Assignment(rules, model, questions)
    with run.stage("Place everyone"):
        return Assignment(rules, model, questions, everyone, everyone.count())
