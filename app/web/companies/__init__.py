"""A company as its documents name it: its address over time, and its tax numbers."""
