"""Goods that customers returned and that go back to their supplier."""
