"""Rows and cells that need more than a type: headings and totals, and answers in words."""
