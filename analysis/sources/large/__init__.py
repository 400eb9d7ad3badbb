"""Large sources: rows stay where they are, and memory holds a sample of them."""
