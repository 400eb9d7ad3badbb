"""Expressions: formulas of the settings and conditions of the playbook, checked, computed, and translated to SQL."""

from analysis.base.expressions.language import FUNCTIONS, Expression, parse

__all__ = ["FUNCTIONS", "Expression", "parse"]
