"""Waves: what goes live together and when, what it waits for, and what it has opened."""
