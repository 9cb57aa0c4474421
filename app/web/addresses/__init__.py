"""Addresses of customers on screen."""
