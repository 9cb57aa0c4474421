"""Templates of places: what a new site, company or channel begins with."""
