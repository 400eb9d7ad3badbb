"""Documentation of the tool, generated from the code."""
