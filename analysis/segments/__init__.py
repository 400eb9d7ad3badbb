"""Descriptions of segments: profiles, personas, actions, and changes between runs."""
