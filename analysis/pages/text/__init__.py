"""Text and tables, one module per page."""
