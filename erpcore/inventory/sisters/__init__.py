"""Goods that one company of ours sells to another: one act, a document at each side, one key."""
