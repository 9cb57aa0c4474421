"""Measures speed and memory against raw floors of the same run."""
