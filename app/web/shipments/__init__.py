"""Shipments: packing, carriers, what goes wrong on the way, and their papers."""
