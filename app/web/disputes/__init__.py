"""Deductions and disputes: the board, one of them with its next steps, and whose each reason is."""
