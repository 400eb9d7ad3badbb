"""The words of each page, one module a page."""
