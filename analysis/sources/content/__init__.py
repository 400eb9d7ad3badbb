"""Rows and cells that need more than a type: headings and totals, answers in words, JSON."""
