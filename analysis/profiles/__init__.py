"""Segments in figures: differences, tests, mixes, and what each variable is about."""
