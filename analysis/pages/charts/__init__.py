"""The charts of each page, one module a page."""
