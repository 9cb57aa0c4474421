"""Invoices, credit memos, receipts: what customers owe us and what they paid."""
