"""From the Report to the pages of the site."""
