"""From customers to a matrix that can be turned back into original units."""
