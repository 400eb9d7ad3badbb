"""Features of customers from rows that last: subscriptions, and panels of periods."""
