"""Readers of files, databases and web addresses, and draft settings for unknown tables."""
