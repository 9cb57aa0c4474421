"""Invoices from due to paid, credit memos, receipts and what they settle."""
