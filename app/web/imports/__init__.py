"""Files that came in, how far they are, and what was rejected."""
