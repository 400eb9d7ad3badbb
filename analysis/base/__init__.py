"""What every room may use: errors, number formats, workers, the cache, formulas and their SQL."""
