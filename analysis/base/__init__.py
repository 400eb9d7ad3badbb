"""Shared basics of all packages: errors, number formats, worker processes, cache, formulas and their SQL."""
