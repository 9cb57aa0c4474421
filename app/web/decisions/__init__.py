"""Decisions: what was asked, who voted what and why, what was decided and what it led to."""
