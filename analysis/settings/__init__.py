"""The settings of a study, checked as they are read."""
