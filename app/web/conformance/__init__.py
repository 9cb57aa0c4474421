"""Conformance: each process against its standard, where journeys leave it, and one journey step by step."""
