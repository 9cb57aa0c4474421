"""Goods between companies of ours: sent, compared side by side, turned back; and which items are the same goods."""
