"""The publication check: rules that a rendered site must pass."""
