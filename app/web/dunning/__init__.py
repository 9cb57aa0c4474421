"""Screens of dunning."""
