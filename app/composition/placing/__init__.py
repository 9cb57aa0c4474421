"""Templates of places: taken from what is there, looked at before they are applied, and applied in one unit of work."""
