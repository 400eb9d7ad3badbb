"""What segments are compared with: customers without groups, and single columns that tell the segments."""
