"""Closing the books of a period: tasks, findings of checks, locks."""
