"""Rebates: what customers get back for what they bought, agreed, accrued line by line and settled by credit memo."""
