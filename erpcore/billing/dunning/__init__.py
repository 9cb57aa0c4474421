"""Asking for what is overdue: procedures, runs, notices and fees, blocks and promises to pay."""
