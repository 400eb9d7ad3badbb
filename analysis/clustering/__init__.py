"""Clustering algorithms, and the evidence for how many segments there are and how stable they are."""
