"""The Report: everything that a page may show. Nothing after it computes a number."""
