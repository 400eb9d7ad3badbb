"""What segments are used for: a choice among equals by what they predict, tiers, and the groupings beside them."""
