"""The conventions of the house, each one a test."""
