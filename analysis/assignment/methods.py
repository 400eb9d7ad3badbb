"""How a customer gets a segment: in rules that can be read, in few questions, and as a model that scores new ones."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.assignment.model import Model, make_model
from analysis.assignment.questions import Questions, find_questions
from analysis.assignment.rules import Rules, find_rules
from analysis.base.run import Run
from analysis.clustering.evidence import Evidence
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
    """

    rules: Rules
    model: Model
    questions: Questions | None


def find_assignment(features: Features, evidence: Evidence, study: Study, run: Run) -> Assignment:
    """Find rules and questions that place customers as the study did, and keep what scores new ones."""
    customers, table, prepared = features.customers, features.table, features.prepared
    assembled, cleaned = customers.assembled, customers.cleaned
    with run.stage("Find rules"):
        rules = find_rules(table, prepared, evidence, study, cleaned, assembled)
        model = make_model(study, customers.inputs.tables, assembled, cleaned, prepared, evidence, rules)
        questions = find_questions(table, prepared, evidence, rules, study, cleaned, model)
    return Assignment(rules, model, questions)
