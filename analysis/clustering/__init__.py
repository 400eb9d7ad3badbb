"""Segments, and how far to trust them."""
