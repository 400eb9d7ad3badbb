"""What segments are compared with: customers without groups, and single columns whose levels are the segments."""
