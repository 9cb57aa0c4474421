"""Goods that come, are put away and counted: screens for people who walk with a scanner."""
