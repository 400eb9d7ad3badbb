"""The documentation of the tool itself, read from where each thing is declared."""
