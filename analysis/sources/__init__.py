"""Files, databases and addresses in; typed tables out, and settings drafted for a table nobody described."""
