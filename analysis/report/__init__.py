"""The report: all numbers that pages may show. Later packages compute none."""
