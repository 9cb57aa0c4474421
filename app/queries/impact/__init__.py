"""What does a thing touch, and what touches it? A graph that nobody draws: its edges are read from the records themselves."""
