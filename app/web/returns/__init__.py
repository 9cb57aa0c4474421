"""Goods that come back: requested, allowed, received, credited."""
