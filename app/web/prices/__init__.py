"""Prices on the screen: rules, lists of them, and why a price is what it is."""
