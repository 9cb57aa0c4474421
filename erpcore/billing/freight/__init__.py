"""Bills of carriers: what they ask for shipments, set against what we expected, and what of it we owe."""
