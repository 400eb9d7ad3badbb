"""Many rows to one row a customer, with a ledger of what was changed. The last room that sees transactions."""
