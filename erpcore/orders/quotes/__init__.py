"""What we offered, at which prices, until when, and what became of it."""
