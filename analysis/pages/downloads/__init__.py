"""Files for download: rules, briefs and data for other programs."""
