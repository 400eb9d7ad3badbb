"""From rows of any kind to one row per customer, with a log of all cleaning. No later package reads transactions."""
