"""Screens of suppliers."""
