"""Reading of a table that no settings describe, with questions where its values leave a choice."""
