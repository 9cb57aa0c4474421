"""Pages of documents in trouble."""
