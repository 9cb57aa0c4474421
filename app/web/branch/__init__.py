"""Screens of transfer orders."""
