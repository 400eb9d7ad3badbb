"""Features of customers and their matrix for clustering, which can be transformed back to original units."""
