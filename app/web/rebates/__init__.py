"""Rebate agreements: the list, one with its tiers, writing and agreeing, settling, and what every line accrued."""
