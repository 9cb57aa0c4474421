"""Screens of service commitments and lanes."""
