"""Words and values that distinguish the columns of an unknown table."""
