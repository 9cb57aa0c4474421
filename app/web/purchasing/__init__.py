"""Screens of purchase orders."""
