"""Measures: every figure with how sure it is, its mark, its trend, and the journeys behind it."""
