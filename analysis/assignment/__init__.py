"""Rules and questions that place new customers in a segment."""
