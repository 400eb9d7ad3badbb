"""Settings of a study and their validation."""
