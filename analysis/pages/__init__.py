"""Pages of the site, written from the report."""
