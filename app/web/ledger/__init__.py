"""The books: entries, accounts and their sums."""
