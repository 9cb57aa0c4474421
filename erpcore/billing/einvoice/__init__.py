"""Invoices and credit memos as other programs read them: the model of EN 16931 and its rules."""
