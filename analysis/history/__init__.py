"""Records of earlier runs, and which segment of today is which of theirs."""
