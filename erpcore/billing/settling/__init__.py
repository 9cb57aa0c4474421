"""Payouts of marketplaces and partners: what they sold for us, kept of it and paid us."""
