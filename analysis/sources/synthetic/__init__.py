"""Synthetic data with known segments."""
