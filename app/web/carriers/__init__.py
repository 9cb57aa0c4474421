"""Carriers: services, cut-offs, rules and carton types."""
