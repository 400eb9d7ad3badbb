"""Rendering, publication check and preview of the site."""
