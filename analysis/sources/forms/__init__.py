"""Forms of dates and numbers beside the usual ones: digits alone, durations, units of several sizes."""
