"""From labels to people one can act on: profiles, personas, actions, and what changed."""
