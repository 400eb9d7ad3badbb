"""Synthetic customers whose segments are known."""
