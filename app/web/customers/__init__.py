"""Customers on screen: the list, and one customer with terms, credit and all that is open."""
