"""Quotes on screen: the list, one quote, writing one, and its moves."""
