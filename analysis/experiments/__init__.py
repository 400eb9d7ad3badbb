"""Audiences to contact, customers held back, and what their outcomes teach."""
