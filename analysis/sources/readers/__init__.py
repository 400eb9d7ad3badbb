"""Readers of file formats; `formats` has them in one table."""
