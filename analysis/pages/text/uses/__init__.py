"""Texts on what segments are used for: the choice among ties, and tiers within segments."""
